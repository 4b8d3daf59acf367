"""Tasks as results: brief in lists and after a change, whole where one is looked at. Pure."""

from __future__ import annotations

import msgspec

from ctui.mcp_server.protocol.asks import AskItem
from ctui.mcp_server.protocol.pages import cut_text
from ctui.tasks.model import Cause, EndReason, Run, Task, TaskState

_WIDTH = 120
_READ_ON = "get_task has it"


class TaskBrief(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task without its long texts; what is empty is left out."""

    id: str
    state: TaskState
    repository: str
    worktree: str
    created: int
    """Nanoseconds since the epoch."""
    updated: int
    prompt: str
    directory: str = ""
    branch: str | None = None
    reason: EndReason | None = None
    problem: str = ""
    cause: Cause = ""
    resume_at: int | None = None
    result: str = ""
    turns: int = 0
    cost: float = 0.0
    doing: str = ""
    """The step of its to-do list that it is at, else the call that runs."""
    unread: bool = False
    """It came to rest, and the person has not looked at it since."""
    alarms: int = 0
    background: int = 0
    """Commands that run although the turn is over."""


class TaskNow(msgspec.Struct, frozen=True):
    """A task after something was done with it; get_task shows the rest."""

    id: str
    state: TaskState
    worktree: str
    branch: str | None
    problem: str


class TaskItem(msgspec.Struct, frozen=True):
    """A task, and the number of its asks that wait."""

    task: TaskBrief
    asks: int


class TaskList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tasks, oldest first."""

    tasks: list[TaskItem]
    next_cursor: str = ""


class TaskDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """One task with its newest runs, and what waits for an answer."""

    task: Task
    asks: list[AskItem]
    runs: list[Run]
    over: bool
    """True if nothing more happens until it is told or answered something."""
    next_cursor: str = ""
    """Cursor for list_asks, where it asks more than this."""


def brief(task: Task) -> TaskBrief:
    """Return a task as lists show it."""
    return TaskBrief(
        id=task.id,
        state=task.state,
        repository=task.repository,
        worktree=task.worktree,
        directory=task.directory,
        created=task.created,
        updated=task.updated,
        prompt=cut_text(task.prompt, _WIDTH, _READ_ON),
        branch=task.branch,
        reason=task.reason,
        problem=cut_text(task.problem, 2 * _WIDTH, _READ_ON),
        cause=task.cause,
        resume_at=task.resume_at,
        result=cut_text(task.result, _WIDTH, _READ_ON),
        turns=task.turns,
        cost=task.cost,
        doing=task.doing,
        unread=task.unread,
        alarms=task.alarm_count,
        background=len(task.background),
    )


def now(task: Task) -> TaskNow:
    """Return what became of a task."""
    return TaskNow(task.id, task.state, task.worktree, task.branch, task.problem)
