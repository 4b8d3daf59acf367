"""What an ask wants to know: its questions, and whether an answer has one for each. Pure.

A form is taken as questions too, a field each. The CLI's requests are hostile input, and nothing of
them is sanitised here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ctui.claude import fields
from ctui.errors import InvalidInput
from ctui.tasks.form_fields import FormField, form_content, form_fields
from ctui.tasks.model import Answer, Ask, AskKind


class ElicitationDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an MCP server of the task wants filled in."""

    server: str = ""
    schema: dict[str, Any] = {}


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
        for item in given_questions(given)
    ]


def joined(ask: Ask, labels: Sequence[str]) -> str:
    """Several chosen labels as one answer: as Claude reads them, or without doubt for a form."""
    if ask.kind is AskKind.ELICITATION and labels:
        return json.dumps(labels, ensure_ascii=False)
    return ", ".join(labels)


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


def chosen(ask: Ask, answer: Answer) -> dict[str, str]:
    """Each question's text -> its answer.

    Raises:
        InvalidInput: an answer is missing, or is for no question of the ask.
    """
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


def filled_in(ask: Ask, answer: Answer) -> dict[str, Any]:
    """A form's content: as a program gave it, or from texts by field.

    Raises:
        InvalidInput: a text does not fit its field.
    """
    if answer.content and not answer.answers:
        return dict(answer.content)
    form = _form(ask)
    answers = dict(answer.answers)
    if answer.text and not answers and len(form) == 1:
        answers = {form[0].name: answer.text}
    return form_content(form, answers)


def given_questions(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The questions of an `AskUserQuestion`, as far as they have the expected shape."""
    items = given.get("questions")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _form(ask: Ask) -> list[FormField]:
    return form_fields(msgspec.json.decode(ask.details, type=ElicitationDetails).schema)
