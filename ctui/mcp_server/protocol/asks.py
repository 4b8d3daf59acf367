"""Asks and tasks as results: what a program needs to answer without having seen a screen. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ctui.mcp_server.protocol.pages import ROOM, page_of
from ctui.tasks.asks.shape import AskShape, ask_members
from ctui.tasks.model import Ask


class AskItem(AskShape, frozen=True, kw_only=True):
    """One thing that a task asks."""

    id: int
    task: str
    created: int
    """Nanoseconds since the epoch."""
    cut: str = ""
    """Note of what is not shown because it is too long; "" if all is."""


class AskList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Asks that wait for an answer, oldest first."""

    asks: list[AskItem]
    next_cursor: str = ""


def ask_item(ask: Ask) -> AskItem:
    """Return an ask without the tool's raw input, of which `text` has what a person can read."""
    return AskItem(id=ask.id, task=ask.task, created=ask.created, **ask_members(ask))


def first_asks(asks: Iterable[Ask]) -> tuple[list[AskItem], str]:
    """Return what fits beside a task, and the cursor with which list_asks goes on."""
    return page_of(map(ask_item, asks), ask_key, "", ROOM // 2)


def ask_key(item: AskItem) -> tuple[int]:
    return (item.id,)
