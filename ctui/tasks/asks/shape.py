"""An ask as programs see it: the same members over HTTP, over MCP and from the command line."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ctui.tasks.asks.kind import Decision
from ctui.tasks.asks.questions import Question
from ctui.tasks.asks.registry import kind_of
from ctui.tasks.asks.text import ask_lines
from ctui.tasks.model import Ask, AskState
from ctui.text import sanitise


class AskShape(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a program needs to answer an ask without having seen a screen."""

    kind: Annotated[
        str, Meta(description="`permission`, `question` and others, of which more may come.")
    ]
    tool: str
    title: Annotated[str, Meta(description="One line that says what is asked.")]
    text: Annotated[str, Meta(description="All that is asked, as plain text.")]
    decisions: Annotated[tuple[Decision, ...], Meta(description="What an answer may decide.")]
    session: Annotated[
        str, Meta(description="What `session` allows beyond this once; empty for nothing.")
    ]
    always: Annotated[
        str,
        Meta(
            description="What `always` allows in every task of the repository; empty for nothing."
        ),
    ]
    questions: tuple[Question, ...]
    state: AskState


def ask_members(ask: Ask) -> dict[str, Any]:
    """Return the members of an `AskShape`."""
    kind = kind_of(ask)
    return {
        "kind": str(ask.kind),
        "tool": ask.tool,
        "title": ask.title,
        "text": "\n".join(ask_lines(ask)),
        "decisions": kind.decisions(ask),
        "session": sanitise(kind.allows(ask, "session")),
        "always": sanitise(kind.allows(ask, "always")),
        "questions": tuple(kind.questions(ask)),
        "state": ask.state,
    }
