"""Questions of the model: one or several, each with options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.claude.protocol import control, fields
from ctui.claude.protocol.events import PermissionRequest
from ctui.tasks.asks.kind import AskEvent, Origin, QuestionKind, given_of, new_ask
from ctui.tasks.asks.limits import questions_fit
from ctui.tasks.asks.permission_details import NO_REASON, permission_details
from ctui.tasks.asks.questions import Option, Question, chosen
from ctui.tasks.asks.secrets import speaks_of_secret
from ctui.tasks.model import Answer, Ask


class ModelQuestion(QuestionKind):
    """`AskUserQuestion`."""

    def ask(self, event: AskEvent, origin: Origin, agent: str) -> Ask | None:
        if not isinstance(event, PermissionRequest) or event.tool != "AskUserQuestion":
            return None
        if not _questions(event.given) or not questions_fit(event.given):
            return None
        return new_ask(
            self.kind,
            event.request_id,
            origin,
            tool=event.tool,
            title=" · ".join(question.text for question in _questions(event.given)),
            given=event.given,
            details=permission_details(event, agent),
        )

    def questions(self, ask: Ask) -> list[Question]:
        return _questions(given_of(ask))

    def reply(self, ask: Ask, answer: Answer) -> bytes:
        if answer.decision == "deny":
            return control.deny(ask.request, answer.message or NO_REASON)
        given = msgspec.json.decode(ask.input, type=dict[str, msgspec.Raw])
        given.pop("annotations", None)  # notes of the person's, which the model has not to write
        answers = chosen(ask, self.questions(ask), answer)
        return control.answer_questions(ask.request, given, answers)


KIND = ModelQuestion()


def _questions(given: Mapping[str, Any]) -> list[Question]:
    return [
        Question(
            text=fields.text(item, "question"),
            options=tuple(
                Option(fields.text(option, "label"), fields.text(option, "description"))
                for option in fields.mappings(item, "options")
                if fields.text(option, "label")  # an empty one would be no answer
            ),
            multiple=item.get("multiSelect") is True,
            secret=speaks_of_secret(fields.text(item, "question")),
        )
        for item in fields.mappings(given, "questions")
    ]
