"""The CLI's requests: which become asks, which are answered at once, and which are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctui.claude import control
from ctui.claude.events import (
    Elicitation,
    HookCallback,
    McpMessage,
    OtherRequest,
    PermissionRequest,
)
from ctui.sandbox.runner import LogLine
from ctui.tasks import toolbox
from ctui.tasks.asks import Origin, ask_of, toolbox_ask
from ctui.tasks.mailbox.run_view import Request
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Notice
from ctui.tasks.session import guard
from ctui.tasks.session.asking import AskBook
from ctui.text import sanitise


def take(step: Step, request: Request, line: LogLine) -> None:
    """Take a request that was just made."""
    if not request.request_id:
        step.alarm("line", "a request without an id", line.data, stop=False)
        return
    answer(step, request, line.time, line.data)


def answer(step: Step, request: Request, time: int, evidence: bytes = b"") -> None:
    """Answer a request, or make it an ask; one that is an ask already stays as it is."""
    match request:
        case PermissionRequest() | Elicitation():
            _ask(step, request, time, evidence)
        case McpMessage():
            _toolbox(step, request, time)
        case HookCallback():
            step.send(control.no_opinion(request.request_id))
        case OtherRequest():
            said = "ctui does not know this request"
            step.send(control.refuse(request.request_id, said))


def _ask(step: Step, request: PermissionRequest | Elicitation, time: int, evidence: bytes) -> None:
    refusal = guard.check_request(step, request, evidence)
    if refusal:
        step.send(control.refuse(request.request_id, refusal))
        return
    AskBook(step).open(ask_of(request, _origin(step, time)))


def _toolbox(step: Step, request: McpMessage, time: int) -> None:
    outcome = toolbox.handle(request.message)
    match outcome:
        case toolbox.Respond():
            _reply(step, request, outcome.message)
        case toolbox.NotifyPerson():
            urgent = outcome.note.priority == "urgent"
            text = sanitise(outcome.note.message)
            step.note(Notice(kind="notified", text=text, urgent=urgent))
            _reply(step, request, outcome.response)
        case toolbox.AskPerson():
            if guard.asks_too_much(step):
                refused = toolbox.refused(outcome.call, guard.TOO_MANY)
                _reply(step, request, refused)
            else:
                AskBook(step).open(toolbox_ask(request.request_id, outcome, _origin(step, time)))
        case toolbox.Withdraw():
            AskBook(step).withdraw_call(outcome.call)
            _reply(step, request, outcome.response)


def _reply(step: Step, request: McpMessage, message: Mapping[str, Any]) -> None:
    step.send(control.mcp_reply(request.request_id, message), key=request.request_id)


def _origin(step: Step, time: int) -> Origin:
    return Origin(step.task.id, step.run.number, time)
