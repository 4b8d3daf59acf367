"""The CLI's requests: which become asks, which are answered at once, and which are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctui.claude.protocol import control
from ctui.claude.protocol.events import (
    HookCallback,
    McpMessage,
    PermissionRequest,
)
from ctui.errors import NotFound, Refused
from ctui.sandbox.runner import LogLine
from ctui.tasks.asks import AskEvent, Origin, ask_of, toolbox, toolbox_ask
from ctui.tasks.mailbox.run_view import Request, is_plain_id
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Notice
from ctui.tasks.session import activity, guard
from ctui.tasks.session.asking import AskBook
from ctui.text import sanitise

_MINUTE = 60_000_000_000
_NOTICES_A_MINUTE = 20
_UNKNOWN = "ctui does not know this request"
_TOLD_KEPT = 200
"""Of these without a receipt; the CLI's own have one at once."""


def take(step: Step, request: Request, line: LogLine) -> None:
    """Take a request that was just made."""
    if not is_plain_id(request.request_id):
        step.alarm("line", "a request without a usable id", line.data, stop=False)
        return
    answer(step, request, line.time, line.data)
    if step.standing.phase is Phase.LIVE:
        # What was answered need not be kept: nobody but the next driver asks for it again.
        step.view.forget_request(request.request_id)


def answer(step: Step, request: Request, time: int, evidence: bytes | None = None) -> None:
    """Answer a request, or make it an ask; one that is an ask already stays as it is.

    Without `evidence` it was answered before, and is no reason for another alarm.
    """
    match request:
        case McpMessage():
            _toolbox(step, request, time)
        case HookCallback():
            step.send(control.no_opinion(request.request_id))
        case _:
            _ask(step, request, time, evidence)


def _ask(step: Step, request: AskEvent, time: int, evidence: bytes | None) -> None:
    refusal = guard.check_request(step, request, evidence)
    agent = step.view.agent(request) if isinstance(request, PermissionRequest) else ""
    ask = None if refusal else ask_of(request, _origin(step, time), agent=agent)
    if ask is None:
        step.send(control.refuse(request.request_id, refusal or _UNKNOWN))
    else:
        AskBook(step).open(ask)


def _toolbox(step: Step, request: McpMessage, time: int) -> None:
    outcome = toolbox.handle(request.message)
    match outcome:
        case toolbox.Respond():
            _reply(step, request, outcome.message)
        case toolbox.NotifyPerson() if step.standing.phase is Phase.LIVE:
            _reply(step, request, _notify(step, request.request_id, outcome))
        case toolbox.AnswerComment() if step.standing.phase is Phase.LIVE:
            _reply(step, request, _answer_comment(step, request.request_id, outcome))
        case toolbox.NotifyPerson() | toolbox.AnswerComment():
            pass  # said when the run is caught up with, where it has no reply then
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
    reply = control.mcp_reply(request.request_id, message)
    step.send(reply, key=request.request_id, droppable=True)


def _notify(step: Step, request_id: str, told: toolbox.NotifyPerson) -> dict[str, Any]:
    """Tell the person once, unless the task does so all the time; return the response."""
    if request_id in step.standing.told:
        return told.response
    recent = tuple(time for time in step.standing.notified if step.time - time < _MINUTE)
    if len(recent) >= _NOTICES_A_MINUTE:
        return toolbox.refused(told.call, "the person was told too much within a minute; wait")
    step.standing.notified = (*recent, step.time)
    _remember(step, request_id)
    urgent = told.note.priority == "urgent"
    step.note(Notice(kind="notified", text=sanitise(told.note.message), urgent=urgent))
    activity.told(step, told.note.message, urgent=urgent)
    return told.response


def _answer_comment(step: Step, request_id: str, outcome: toolbox.AnswerComment) -> dict[str, Any]:
    """Keep an answer under the comment of the task's own worktree; return the response."""
    if request_id in step.standing.told:
        return outcome.response
    number, text = outcome.answer.number, outcome.answer.text.strip()
    try:
        step.store.threads.answer(number, step.task.worktree, step.task.id, text, step.time)
    except (NotFound, Refused) as error:
        return toolbox.refused(outcome.call, error.message)
    _remember(step, request_id)
    step.task.comments_answered += 1
    return outcome.response


def _remember(step: Step, request_id: str) -> None:
    """Note that a request was followed: the next driver may read it again."""
    step.standing.told = (*step.standing.told[-_TOLD_KEPT:], request_id)


def _origin(step: Step, time: int) -> Origin:
    return Origin(step.task.id, step.run.number, time)
