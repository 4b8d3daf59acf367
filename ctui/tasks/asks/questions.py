"""Questions of an ask, and the check that an answer has one for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ctui.errors import InvalidInput
from ctui.tasks.asks.lines import INDENT, flat
from ctui.tasks.model import Answer, Ask
from ctui.text import sanitise

SECRET_WARNING = "! this looks like a secret: whatever you write can be read inside the task"  # noqa: S105 - words for a person


class Option(msgspec.Struct, frozen=True):
    """One choice of a question."""

    label: str
    description: str = ""


class Question(msgspec.Struct, frozen=True):
    """One question of an ask, or one field of a form. Nothing in it is sanitised."""

    text: Annotated[str, Meta(description="What `answers` names it by.")]
    options: tuple[Option, ...] = ()
    multiple: Annotated[
        bool, Meta(description="Several labels can be chosen: `A, B`, or a JSON list in a form.")
    ] = False
    about: Annotated[str, Meta(description="More about a form's field.")] = ""
    optional: Annotated[bool, Meta(description='No answer, written as "", is one too.')] = False
    default: Annotated[str, Meta(description="What no answer stands for.")] = ""
    secret: Annotated[
        bool, Meta(description="It seems to want a secret, which the task could read.")
    ] = False


def question_lines(question: Question) -> Iterator[str]:
    """Yield a question with its options, sanitised."""
    yield f"? {sanitise(question.text)}"
    if question.secret:
        yield SECRET_WARNING
    for number, option in enumerate(question.options, 1):
        described = f" - {sanitise(option.description)}" if option.description else ""
        yield f"{INDENT}{number}  {sanitise(option.label)}{described}"


def field_lines(question: Question) -> Iterator[str]:
    """Yield a form's field with its choices, sanitised."""
    name = f"{question.text}{_if_left(question)}"
    yield INDENT + flat(f"{name}: {question.about}" if question.about else name)
    if question.secret:
        yield INDENT + SECRET_WARNING
    for number, option in enumerate(question.options, 1):
        yield f"{INDENT * 2}{number}  {flat(option.label)}"


def chosen(ask: Ask, questions: Sequence[Question], answer: Answer) -> dict[str, str]:
    """Return each question's text with its answer.

    Raises:
        InvalidInput: an answer is missing, or is for no question of the ask.
    """
    asked = [question.text for question in questions]
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


def _if_left(question: Question) -> str:
    if question.default:
        return f" (if it is left: {question.default})"
    return " (may be left out)" if question.optional else ""
