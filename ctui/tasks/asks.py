"""Asks: from the CLI's request to what a person reads, and from their answer to the CLI's line.

Pure functions. The CLI's requests are hostile input: whatever does not have the expected shape
becomes a permission ask that shows it as it is, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ctui.claude import control, fields
from ctui.errors import InvalidInput
from ctui.tasks import toolbox
from ctui.tasks.form_fields import FormField, form_content, form_fields
from ctui.tasks.grants import grantable
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import one_line

_TITLE_WIDTH = 200
_NO_REASON = "The person said no."


class PermissionDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What comes with a permission, question or plan request beside the input."""

    tool_use_id: str = ""
    reason: str = ""
    blocked_path: str = ""
    suggestions: list[dict[str, Any]] = []


class ElicitationDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an MCP server of the task wants filled in."""

    server: str = ""
    schema: dict[str, Any] = {}


class ToolboxDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The open call of an `ask_user`."""

    call: int | str = 0
    expires: int | None = None
    """Nanoseconds since the epoch; None waits for ever."""
    urgent: bool = False


class Option(NamedTuple):
    """One choice of a question."""

    label: str
    description: str = ""


class Question(NamedTuple):
    """One question of an ask."""

    text: str
    """What an answer names it by."""
    options: tuple[Option, ...] = ()
    multiple: bool = False
    """Whether several labels can be chosen, written as `joined` does."""
    about: str = ""
    optional: bool = False
    """Whether no answer, written as "", is one too."""
    default: str = ""
    """What no answer stands for; "" for nothing."""


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
        _chosen(ask, answer)
    elif ask.kind is AskKind.ELICITATION and answer.decision == "allow":
        _content(ask, answer)
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
        content = _content(ask, answer) if action == "accept" else {}
        return control.answer_elicitation(ask.request, action, content)
    if ask.tool == "ask_user":
        return control.mcp_reply(ask.request, _toolbox_reply(ask, answer))
    if answer.decision == "deny":
        return control.deny(ask.request, answer.message or _NO_REASON)
    if ask.kind is AskKind.QUESTION:
        return control.answer_questions(ask.request, given, _chosen(ask, answer))
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


def question_items(ask: Ask) -> list[Question]:
    """The questions of an ask, or the fields of a form by name; nothing is sanitised."""
    if ask.kind is AskKind.ELICITATION:
        return [
            Question(
                field.name,
                tuple(map(Option, field.choices)),
                multiple=field.kind == "choices",
                about=field.about,
                optional=field.optional,
                default=field.default_text,
            )
            for field in _form(ask)
        ]
    if ask.kind is not AskKind.QUESTION:
        return []
    given = fields.json_object(bytes(ask.input)) or {}
    if ask.tool == "ask_user":
        labels = fields.texts(given, "options")
        return [Question(fields.text(given, "question"), tuple(Option(text) for text in labels))]
    return [
        Question(
            text=fields.text(item, "question"),
            options=tuple(
                Option(fields.text(option, "label"), fields.text(option, "description"))
                for option in fields.mappings(item, "options")
            ),
            multiple=item.get("multiSelect") is True,
        )
        for item in _question_items(given)
    ]


def joined(ask: Ask, labels: Sequence[str]) -> str:
    """Several chosen labels as one answer: as Claude reads them, or without doubt for a form."""
    if ask.kind is AskKind.ELICITATION and labels:
        return json.dumps(labels, ensure_ascii=False)
    return ", ".join(labels)


def _toolbox_reply(ask: Ask, answer: Answer) -> dict[str, Any]:
    details = msgspec.json.decode(ask.details, type=ToolboxDetails)
    if answer.decision == "deny":
        return toolbox.refused(details.call, answer.message or "The person did not want to answer.")
    (text,) = _chosen(ask, answer).values()
    return toolbox.answered(details.call, text)


def field_problem(ask: Ask, name: str, text: str) -> str:
    """Why a text does not fit a form's field; "" if it does, or where there is no form."""
    if ask.kind is not AskKind.ELICITATION:
        return ""
    try:
        for field in _form(ask):
            if field.name == name:
                field.value(text)
    except InvalidInput as error:
        return f"{error.message}: {error.hint}"
    return ""


def _form(ask: Ask) -> list[FormField]:
    return form_fields(msgspec.json.decode(ask.details, type=ElicitationDetails).schema)


def _content(ask: Ask, answer: Answer) -> dict[str, Any]:
    """A form's content: as a program gave it, or from texts by field."""
    if answer.content and not answer.answers:
        return dict(answer.content)
    form = _form(ask)
    answers = dict(answer.answers)
    if answer.text and not answers and len(form) == 1:
        answers = {form[0].name: answer.text}
    return form_content(form, answers)


def _chosen(ask: Ask, answer: Answer) -> dict[str, str]:
    """Each question's text -> its answer."""
    asked = [question.text for question in question_items(ask)]
    if answer.text and not answer.answers:
        if len(asked) != 1:
            raise InvalidInput(
                f"ask {ask.id} has {len(asked)} questions", hint="answer each by its text"
            )
        return {asked[0]: answer.text}
    if unknown := [text for text in answer.answers if text not in asked]:
        raise InvalidInput(
            f"ask {ask.id} has no question {unknown[0]!r}",
            hint="it asks: " + " / ".join(asked),
        )
    if missing := [text for text in asked if not answer.answers.get(text)]:
        raise InvalidInput(f"no answer to: {missing[0]}", hint="answer every question, or deny")
    return dict(answer.answers)


def _kind_and_title(tool: str, given: Mapping[str, Any]) -> tuple[AskKind, str]:
    if tool == "AskUserQuestion" and (items := _question_items(given)):
        return AskKind.QUESTION, " · ".join(_text(item.get("question")) for item in items)
    if tool == "ExitPlanMode":
        return AskKind.PLAN, "Claude has a plan: " + _text(given.get("plan"))
    for key in ("command", "file_path", "notebook_path", "url", "pattern", "path"):
        if value := _text(given.get(key)):
            return AskKind.PERMISSION, f"{tool}: {value}"
    return AskKind.PERMISSION, f"{tool}: {json.dumps(given, ensure_ascii=False)}" if given else tool


def _question_items(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = given.get("questions")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


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
