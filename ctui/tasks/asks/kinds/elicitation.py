"""Forms: an MCP server inside the task wants something filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from ctui.claude.protocol import control, fields
from ctui.claude.protocol.events import Elicitation as ElicitationRequest
from ctui.errors import InvalidInput
from ctui.tasks.asks import toolbox
from ctui.tasks.asks.form_fields import FormField, form_content, form_fields
from ctui.tasks.asks.kind import AskEvent, Decision, Kind, Origin, details_of, given_of, new_ask
from ctui.tasks.asks.limits import schema_problem
from ctui.tasks.asks.lines import INDENT, cut, text_lines
from ctui.tasks.asks.questions import SECRET_WARNING, Option, Question, field_lines
from ctui.tasks.asks.secrets import named_secret, speaks_of_secret
from ctui.tasks.model import Answer, Ask, AskKind, Task
from ctui.text import one_line

_SERVER_WIDTH = 80
_ACTIONS = {"allow": "accept", "deny": "decline", "cancel": "cancel"}


class ElicitationDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """Form that an MCP server of the task wants filled in."""

    server: str = ""
    schema: dict[str, Any] = {}
    problem: str = ""
    """Reason why it cannot be filled in; "" if it can."""


class Elicitation(Kind):
    """`elicitation` of the Model Context Protocol, in its mode `form`."""

    kind = AskKind.ELICITATION
    words: ClassVar[Mapping[Decision, str]] = {
        "allow": "accept",
        "deny": "decline",
        "cancel": "cancel",
    }
    is_form = True
    explains = False
    unattended = "cancel"

    def ask(self, event: AskEvent, origin: Origin, _agent: str) -> Ask | None:
        if not isinstance(event, ElicitationRequest):
            return None
        server = one_line(event.server, _SERVER_WIDTH)
        problem = schema_problem(event.schema)
        return new_ask(
            self.kind,
            event.request_id,
            origin,
            tool=server,
            title=f"{server}: {event.message}",
            given={"message": event.message},
            details=ElicitationDetails(server, {} if problem else dict(event.schema), problem),
        )

    def lines(self, ask: Ask) -> Iterator[str]:
        yield from self.heading(ask)
        for question in self.questions(ask):
            yield from field_lines(question)

    def heading(self, ask: Ask) -> list[str]:
        details = details_of(ask, ElicitationDetails)
        message = fields.text(given_of(ask), "message")
        found = [f"? {ask.tool}, a server inside the task, asks:"]
        found += cut((INDENT + line for line in text_lines(message)), ask.task)
        if details.problem:
            found.append(f"! it cannot be filled in: {details.problem}")
        elif speaks_of_secret(message):
            found.append(SECRET_WARNING)
        return found

    def questions(self, ask: Ask) -> list[Question]:
        return [
            Question(
                field.name,
                tuple(map(Option, field.choices)),
                multiple=field.kind == "choices",
                about=field.about,
                optional=field.optional,
                default=field.default_text,
                secret=named_secret(field.name) or speaks_of_secret(field.about) or field.hidden,
            )
            for field in _form(ask)
        ]

    def decisions(self, ask: Ask) -> tuple[Decision, ...]:
        if details_of(ask, ElicitationDetails).problem:
            return "deny", "cancel"
        return "allow", "deny", "cancel"

    def check(self, ask: Ask, answer: Answer) -> None:
        if answer.decision == "allow":
            _filled_in(ask, answer)
        else:
            super().check(ask, answer)

    def problem(self, ask: Ask, name: str, text: str) -> str:
        try:
            for field in _form(ask):
                if field.name == name:
                    field.value(text)
        except InvalidInput as error:
            return f"{error.message}: {error.hint}"
        return ""

    def joined(self, labels: Sequence[str]) -> str:
        return json.dumps(labels, ensure_ascii=False) if labels else ""

    def reply(self, ask: Ask, answer: Answer) -> bytes:
        action = _ACTIONS[answer.decision]
        content = _filled_in(ask, answer) if action == "accept" else {}
        return control.answer_elicitation(ask.request, action, content)


KIND = Elicitation()


def elicitation_is_expected(server: str, task: Task) -> bool:
    """Return False for a form of a server that the task was not given: nobody may show it.

    A process in the sandbox can write such a request, above all in ctui's own name.
    """
    return server != toolbox.SERVER and server in task.options.mcp_servers


def _filled_in(ask: Ask, answer: Answer) -> dict[str, Any]:
    """Return a form's content: as a program gave it, or from texts by field."""
    if answer.content and not answer.answers:
        return dict(answer.content)
    form = _form(ask)
    answers = dict(answer.answers)
    if answer.text and not answers and len(form) == 1:
        answers = {form[0].name: answer.text}
    return form_content(form, answers)


def _form(ask: Ask) -> list[FormField]:
    return form_fields(details_of(ask, ElicitationDetails).schema)
