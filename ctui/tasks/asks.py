"""Asks: from the CLI's request to what a person reads, and from their answer to the CLI's line.

Pure functions. The CLI's requests are hostile input: whatever does not have the expected shape
becomes a permission ask that shows it as it is, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.claude import control
from ctui.errors import InvalidInput
from ctui.tasks import toolbox
from ctui.tasks.grants import grantable
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.tasks.questions import ElicitationDetails, chosen, filled_in, given_questions
from ctui.text import one_line

_TITLE_WIDTH = 200
_NO_REASON = "The person said no."


class PermissionDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What comes with a permission, question or plan request beside the input."""

    tool_use_id: str = ""
    reason: str = ""
    blocked_path: str = ""
    suggestions: list[dict[str, Any]] = []


class ToolboxDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The open call of an `ask_user`."""

    call: int | str = 0
    expires: int | None = None
    """Nanoseconds since the epoch; None waits for ever."""
    urgent: bool = False


def from_permission(
    task: str, run: int, time: int, request_id: str, request: Mapping[str, Any]
) -> Ask:
    """The ask of a `can_use_tool` request."""
    tool = _text(request.get("tool_name"))
    given = request.get("input")
    given = given if isinstance(given, dict) else {}
    suggestions = request.get("permission_suggestions")
    details = PermissionDetails(
        tool_use_id=_text(request.get("tool_use_id")),
        reason=one_line(_text(request.get("decision_reason")), _TITLE_WIDTH),
        blocked_path=one_line(_text(request.get("blocked_path")), _TITLE_WIDTH),
        suggestions=[item for item in suggestions if isinstance(item, dict)]
        if isinstance(suggestions, list)
        else [],
    )
    kind, title = _kind_and_title(tool, given)
    return _ask(task, run, time, request_id, kind, tool, title, given, details)


def from_elicitation(
    task: str, run: int, time: int, request_id: str, request: Mapping[str, Any]
) -> Ask:
    """The ask of an `elicitation` request."""
    schema = request.get("requested_schema")
    server = one_line(_text(request.get("mcp_server_name")), 80)
    message = _text(request.get("message"))
    details = ElicitationDetails(server=server, schema=schema if isinstance(schema, dict) else {})
    title = f"{server}: {message}"
    return _ask(
        task,
        run,
        time,
        request_id,
        AskKind.ELICITATION,
        server,
        title,
        {"message": message},
        details,
    )


def from_toolbox(task: str, run: int, time: int, request_id: str, asked: toolbox.AskPerson) -> Ask:
    """The ask of a call of `ask_user`."""
    question = asked.question
    seconds = question.timeout_seconds
    details = ToolboxDetails(
        call=asked.call,
        expires=None if seconds is None else time + seconds * 1_000_000_000,
        urgent=question.priority == "urgent",
    )
    given = {"question": question.question, "options": question.options}
    return _ask(
        task, run, time, request_id, AskKind.QUESTION, "ask_user", question.question, given, details
    )


def check(ask: Ask, answer: Answer) -> None:
    """Refuse an answer that does not fit the ask, before it is accepted.

    Raises:
        InvalidInput: with what would fit.
    """
    if answer.decision == "cancel" and ask.kind is not AskKind.ELICITATION:
        raise InvalidInput("only an elicitation can be cancelled", hint="answer deny instead")
    if answer.decision == "session" and ask.kind in {AskKind.QUESTION, AskKind.ELICITATION}:
        raise InvalidInput(
            f"a {ask.kind} has no answer for the session", hint="answer allow or deny"
        )
    if answer.decision == "always" and grantable(ask) is None:
        raise InvalidInput(
            "only a plain command can be allowed for good", hint="answer allow or session instead"
        )
    if answer.decision in {"allow", "always"} and answer.message:
        raise InvalidInput("a message goes with a denial", hint="answer deny, or leave it out")
    if ask.kind is AskKind.QUESTION and answer.decision == "allow":
        chosen(ask, answer)
    elif ask.kind is AskKind.ELICITATION and answer.decision == "allow":
        filled_in(ask, answer)
    elif answer.text or answer.answers:
        raise InvalidInput(
            f"an answer in words is for a question, not for {answer.decision} of a {ask.kind}",
            hint="deny takes a message",
        )


def line(ask: Ask, answer: Answer) -> bytes:
    """The control response that carries the answer to the CLI."""
    given = msgspec.json.decode(ask.input)
    if ask.kind is AskKind.ELICITATION:
        action = {"allow": "accept", "deny": "decline"}.get(answer.decision, "cancel")
        content = filled_in(ask, answer) if action == "accept" else {}
        return control.answer_elicitation(ask.request, action, content)
    if ask.tool == "ask_user":
        return control.mcp_reply(ask.request, _toolbox_reply(ask, answer))
    if answer.decision == "deny":
        return control.deny(ask.request, answer.message or _NO_REASON)
    if ask.kind is AskKind.QUESTION:
        return control.answer_questions(ask.request, given, chosen(ask, answer))
    if ask.kind is AskKind.PLAN:
        return control.approve_plan(ask.request, given, accept_edits=answer.decision == "session")
    if answer.decision == "session":
        details = msgspec.json.decode(ask.details, type=PermissionDetails)
        permissions = control.session_permissions(details.suggestions)
        return control.allow(ask.request, given, permissions=permissions)
    return control.allow(ask.request, given)


def expired(ask: Ask) -> bytes:
    """The reply to an `ask_user` that nobody answered in time."""
    details = msgspec.json.decode(ask.details, type=ToolboxDetails)
    return control.mcp_reply(ask.request, toolbox.answered(details.call, "", timed_out=True))


def _toolbox_reply(ask: Ask, answer: Answer) -> dict[str, Any]:
    details = msgspec.json.decode(ask.details, type=ToolboxDetails)
    if answer.decision == "deny":
        return toolbox.refused(details.call, answer.message or "The person did not want to answer.")
    (text,) = chosen(ask, answer).values()
    return toolbox.answered(details.call, text)


def _kind_and_title(tool: str, given: Mapping[str, Any]) -> tuple[AskKind, str]:
    if tool == "AskUserQuestion" and (items := given_questions(given)):
        return AskKind.QUESTION, " · ".join(_text(item.get("question")) for item in items)
    if tool == "ExitPlanMode":
        return AskKind.PLAN, "Claude has a plan: " + _text(given.get("plan"))
    for key in ("command", "file_path", "notebook_path", "url", "pattern", "path"):
        if value := _text(given.get(key)):
            return AskKind.PERMISSION, f"{tool}: {value}"
    return AskKind.PERMISSION, f"{tool}: {json.dumps(given, ensure_ascii=False)}" if given else tool


def _ask(
    task: str,
    run: int,
    time: int,
    request_id: str,
    kind: AskKind,
    tool: str,
    title: str,
    given: Mapping[str, Any],
    details: msgspec.Struct,
) -> Ask:
    return Ask(
        id=0,
        task=task,
        run=run,
        request=request_id,
        kind=kind,
        tool=one_line(tool, 80),
        title=one_line(title, _TITLE_WIDTH),
        input=msgspec.Raw(msgspec.json.encode(given)),
        details=msgspec.Raw(msgspec.json.encode(details)),
        created=time,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
