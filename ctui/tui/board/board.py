"""Model of the dashboard: worktrees, tasks and asks, in the order in which a person needs them.

Pure: events go in, items come out, and nothing here waits or draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import NamedTuple

from ctui.tasks.calls import Update
from ctui.tasks.model import Ask, AskState, EndReason, Task, TaskState
from ctui.worktrees.model import WorktreeStatus


class Group(StrEnum):
    """Need of an item for the person, most urgent first."""

    NEEDS_YOU = "NEEDS YOU"
    RUNNING = "RUNNING"
    REVIEW = "REVIEW"
    MERGED = "MERGED"
    CLEAN = "CLEAN"
    UNKNOWN = "WORKTREES"
    """Nobody has looked yet."""


class Item(NamedTuple):
    """One worktree, with the newest task on it."""

    path: str
    name: str
    group: Group
    task: Task | None
    asks: int
    status: WorktreeStatus | None


class Board:
    """The dashboard's model of one repository."""

    def __init__(self, repository: str) -> None:
        """Prepare a board that knows nothing yet.

        Args:
            repository: its `.git` folder; tasks of others count for the header only.
        """
        self.repository = repository
        self.tasks: dict[str, Task] = {}
        self.asks: dict[int, Ask] = {}
        self.version = 0
        """Count of what came in: while it is the same, so are the items."""
        self._names: dict[str, str] = {}
        self._statuses: dict[str, WorktreeStatus] = {}

    # -- what comes in

    def take(self, update: Update) -> None:
        """Take a task or an ask as it is now."""
        self.version += 1
        if update.task is not None:
            self.tasks[update.task.id] = update.task
        if update.ask is not None:
            if update.ask.state is AskState.PENDING:
                self.asks[update.ask.id] = update.ask
            else:
                self.asks.pop(update.ask.id, None)
        for task in self.gone_with(update):
            self.tasks.pop(task, None)
            self.asks = {key: ask for key, ask in self.asks.items() if ask.task != task}
        if (present := update.present) is not None:
            self.asks = {key: ask for key, ask in self.asks.items() if key in present.asks}

    def gone_with(self, update: Update) -> list[str]:
        """Return the tasks that an update removes."""
        if (present := update.present) is not None:
            return [task for task in self.tasks if task not in present.tasks]
        return [update.removed] if update.removed else []

    def take_names(self, names: Mapping[str, str]) -> None:
        """Take the names of all worktrees by path, and forget the status of others."""
        self.version += 1
        self._names = dict(names)
        self._statuses = {path: self._statuses[path] for path in names if path in self._statuses}

    def take_statuses(self, statuses: Iterable[WorktreeStatus], *, complete: bool = True) -> None:
        """Take worktrees as they are now: all of them, or (not `complete`) some."""
        self.version += 1
        if complete:
            self._statuses, self._names = {}, {}
        for status in statuses:
            self._statuses[status.path] = status
            self._names[status.path] = status.name

    def drop(self, paths: Iterable[str]) -> None:
        """Forget worktrees that were removed, and the tasks that left with them."""
        self.version += 1
        gone = set(paths)
        for path in gone:
            self._statuses.pop(path, None)
            self._names.pop(path, None)
        for task in [task for task in self.tasks.values() if task.worktree in gone]:
            self.take(Update(removed=task.id))

    # -- what is shown

    def items(self) -> list[Item]:
        """Return all worktrees of the repository, and places where its tasks worked, by need."""
        newest = {
            task.worktree: task
            for task in sorted(self.tasks.values(), key=lambda task: task.created)
            if task.repository == self.repository
        }
        paths = {**self._names, **{path: PurePath(path).name for path in newest}}
        paths |= self._names
        found = [self._item(path, name, newest.get(path)) for path, name in paths.items()]
        order = list(Group)
        return sorted(found, key=lambda item: (order.index(item.group), item.name))

    def asks_of(self, task: str) -> list[Ask]:
        """Return the asks of a task, oldest first."""
        return sorted(
            (ask for ask in self.asks.values() if ask.task == task), key=lambda ask: ask.id
        )

    @property
    def inbox(self) -> list[Ask]:
        """Return everything that is asked, oldest first."""
        return sorted(self.asks.values(), key=lambda ask: (ask.created, ask.id))

    @property
    def running(self) -> list[Task]:
        """Return the tasks that work, or would go on if somebody answered."""
        return [task for task in self.tasks.values() if task.works]

    @property
    def cost(self) -> float:
        """Return the cost of all tasks on the list, in US dollars."""
        return sum(task.cost for task in self.tasks.values())

    def _item(self, path: str, name: str, task: Task | None) -> Item:
        asks = len(self.asks_of(task.id)) if task else 0
        status = self._statuses.get(path)
        return Item(path, name, _group(status, task, asks), task, asks, status)


def _failed(task: Task) -> bool:
    return task.failed or task.reason is EndReason.FAILED


def _group(status: WorktreeStatus | None, task: Task | None, asks: int) -> Group:
    if asks or (task is not None and task.state is TaskState.WAITING):
        return Group.NEEDS_YOU
    if task is not None and not task.state.live and _failed(task):
        return Group.NEEDS_YOU
    if task is not None and task.works:
        return Group.RUNNING
    if status is None:
        return Group.UNKNOWN if task is None else Group.REVIEW
    if status.problem:
        return Group.NEEDS_YOU
    return {"merged": Group.MERGED, "clean": Group.CLEAN}.get(status.status, Group.REVIEW)


def worth_a_look(before: Task | None, task: Task) -> bool:
    """Return True if what a task did may have changed its worktree."""
    return before is None or (before.state, before.turns, before.work) != (
        task.state,
        task.turns,
        task.work,
    )
