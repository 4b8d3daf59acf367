"""Asks: from the CLI's request to what a person reads, and from their answer to the CLI's line.

In here belongs whatever depends on what kind of thing is asked, one file for each kind in `kinds`.
Pure functions only: no store, no channel, no front end.
"""

from __future__ import annotations

from ctui.tasks.asks.answers import check, decisions, reply
from ctui.tasks.asks.kind import AskEvent, Kind, Origin
from ctui.tasks.asks.kinds.ask_user import (
    ToolboxDetails,
    expired_reply,
    toolbox_ask,
    toolbox_details,
)
from ctui.tasks.asks.kinds.elicitation import elicitation_is_expected
from ctui.tasks.asks.registry import KINDS, kind_of
from ctui.tasks.asks.text import ask_lines
from ctui.tasks.model import Ask

__all__ = [
    "KINDS",
    "AskEvent",
    "Kind",
    "Origin",
    "ToolboxDetails",
    "ask_lines",
    "ask_of",
    "check",
    "decisions",
    "elicitation_is_expected",
    "expired_reply",
    "kind_of",
    "reply",
    "toolbox_ask",
    "toolbox_details",
]


def ask_of(event: AskEvent, origin: Origin, *, agent: str = "") -> Ask | None:
    """Return the ask that a request of the CLI makes; never raises, whatever the request holds.

    None for a subtype that no kind takes; a tool's request and a form are always an ask.

    Args:
        event: the request, as `decode` gave it.
        origin: whose, and when.
        agent: who of the task's subagents asks, where more than its id is known.
    """
    for kind in KINDS:
        if (ask := kind.ask(event, origin, agent)) is not None:
            return ask
    return None
