"""Asks and tasks as results: what a program needs to answer without having seen a screen. Pure."""

from __future__ import annotations

import msgspec

from ctui.tasks.asks.shape import AskShape, ask_members
from ctui.tasks.model import Ask, Run, Task


class AskItem(AskShape, frozen=True, kw_only=True):
    """One thing that a task asks."""

    id: int
    task: str
    created: int
    """Nanoseconds since the epoch."""


class AskList(msgspec.Struct, frozen=True):
    """Everything that waits for an answer, oldest first."""

    asks: list[AskItem]


class TaskItem(msgspec.Struct, frozen=True):
    """A task, and how many of its asks wait."""

    task: Task
    asks: int


class TaskList(msgspec.Struct, frozen=True):
    """All tasks, oldest first."""

    tasks: list[TaskItem]


class TaskDetails(msgspec.Struct, frozen=True):
    """One task with its runs, and what waits for an answer."""

    task: Task
    asks: list[AskItem]
    runs: list[Run]
    over: bool
    """Whether nothing more happens until it is told or answered something."""


def ask_item(ask: Ask) -> AskItem:
    """Return an ask without the tool's raw input, of which `text` has what a person can read."""
    return AskItem(id=ask.id, task=ask.task, created=ask.created, **ask_members(ask))
