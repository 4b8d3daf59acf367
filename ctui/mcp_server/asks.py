"""Asks and tasks as results: what a program needs to answer without having seen a screen. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ctui.mcp_server.pages import ROOM, page_of
from ctui.tasks.ask_text import ask_lines, session_words
from ctui.tasks.grants import always_words
from ctui.tasks.model import Ask, AskKind, AskState
from ctui.tasks.questions import question_items
from ctui.text import one_line

_MOST_OPTIONS = 100
_WIDTH = 300


class OptionItem(msgspec.Struct, frozen=True):
    """One choice of a question."""

    label: str
    description: str


class QuestionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One question, or one field of a form; `question` is what `answers` names it by."""

    question: str
    about: str
    options: list[OptionItem]
    multiple: bool
    optional: bool
    default: str


class AskItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a task asks."""

    id: int
    task: str
    kind: AskKind
    tool: str
    title: str
    text: str
    """Everything that is asked, as a person would read it."""
    decisions: list[str]
    """What `answer_ask` takes."""
    session: str
    """What the decision `session` allows beyond this once; empty if nothing."""
    always: str
    """What the decision `always` allows in every task of the repository; empty if nothing."""
    questions: list[QuestionItem]
    state: AskState
    created: int
    """Nanoseconds since the epoch."""
    cut: str = ""
    """What of it is not shown because it is too long; empty if all is."""


class AskList(msgspec.Struct, frozen=True, omit_defaults=True):
    """What waits for an answer, oldest first."""

    asks: list[AskItem]
    next_cursor: str = ""


def ask_item(ask: Ask) -> AskItem:
    """An ask without the tool's raw input, of which `text` has what a person can read."""
    return AskItem(
        id=ask.id,
        task=ask.task,
        kind=ask.kind,
        tool=ask.tool,
        title=ask.title,
        text="\n".join(ask_lines(ask)),
        decisions=decisions(ask),
        session=one_line(session_words(ask), _WIDTH),
        always=one_line(always_words(ask), _WIDTH),
        questions=[
            QuestionItem(
                question=item.text,
                about=one_line(item.about, _WIDTH),
                options=[
                    OptionItem(option.label, one_line(option.description, _WIDTH))
                    for option in item.options[:_MOST_OPTIONS]
                ],
                multiple=item.multiple,
                optional=item.optional,
                default=item.default,
            )
            for item in question_items(ask)
        ],
        state=ask.state,
        created=ask.created,
    )


def first_asks(asks: Iterable[Ask]) -> tuple[list[AskItem], str]:
    """Return what fits beside a task, and the cursor with which list_asks goes on."""
    return page_of(map(ask_item, asks), ask_key, "", ROOM // 2)


def ask_key(item: AskItem) -> tuple[int]:
    return (item.id,)


def decisions(ask: Ask) -> list[str]:
    """What an ask can be answered with."""
    match ask.kind:
        case AskKind.ELICITATION:
            return ["allow", "deny", "cancel"]
        case AskKind.QUESTION:
            return ["allow", "deny"]
    found = ["allow", "session"] if session_words(ask) else ["allow"]
    return [*found, "always", "deny"] if always_words(ask) else [*found, "deny"]
