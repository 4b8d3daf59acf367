"""Model of the dashboard: worktrees, tasks and asks, in the order in which a person needs them.

Pure: events go in, items come out, and nothing here waits or draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import NamedTuple

from ctui.tasks.calls import Update
from ctui.tasks.model import Ask, AskState, EndReason, Task, TaskState
from ctui.worktrees.model import WorktreeStatus


class Group(StrEnum):
    """Need of an item for the person, most urgent first."""

    NEEDS_YOU = "NEEDS YOU"
    """It asks, failed, or cannot go on by itself; the one that waits longest comes first."""
    NEW = "NEW"
    """It came to rest since somebody looked at it last."""
    WORKING = "WORKING"
    REVIEW = "REVIEW"
    MERGED = "MERGED"
    CLEAN = "CLEAN"
    UNKNOWN = "WORKTREES"
    """Nobody has looked yet."""


_BY_AGE = {Group.NEEDS_YOU, Group.NEW, Group.WORKING}
_ORDER = {group: place for place, group in enumerate(Group)}


class Item(NamedTuple):
    """One worktree, with the newest task on it."""

    path: str
    name: str
    group: Group
    task: Task | None
    asks: int
    status: WorktreeStatus | None
    ask: Ask | None = None
    """The oldest thing that its task asks."""

    @property
    def since(self) -> int:
        """Return the time from which it is as it is, in ns since the epoch; 0 if unknown."""
        if self.ask is not None:
            return self.ask.created
        task, active = self.task, self.status.active if self.status else 0
        if task is None:
            return active
        if self.group is Group.NEEDS_YOU:
            return task.updated if task.state.live else task.activity.rested or task.updated
        if self.group is Group.WORKING:
            return max(task.activity.began, task.created)
        return (
            task.activity.rested if self.group is Group.NEW else max(active, task.activity.rested)
        )

    @property
    def failed(self) -> bool:
        """Return True if its task failed, and nothing was said to it since."""
        return self.task is not None and not self.task.state.live and _failed(self.task)

    @property
    def unread(self) -> bool:
        """Return True if its task came to rest and nobody has looked at what it did.

        What has landed, and began in that turn, somebody has looked at.
        """
        if self.task is None or not self.task.unread:
            return False
        activity = self.task.activity
        merged = self.status is not None and self.status.status == "merged"
        return not (merged and activity.committed >= activity.began)


class Entry(NamedTuple):
    """One thing in the inbox."""

    task: str
    since: int
    """Nanoseconds since the epoch."""
    urgent: bool
    text: str
    """The question, or the message, in one sanitised line."""
    ask: Ask | None = None
    """None for what was told only."""

    @property
    def key(self) -> tuple[str, int]:
        """Return what tells it from all others."""
        return (self.task, self.since) if self.ask is None else ("", self.ask.id)


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

    def is_here(self, update: Update) -> bool:
        """Return True if an update is of a task of this repository."""
        task = update.task or (self.tasks.get(update.ask.task) if update.ask else None)
        return task is not None and task.repository == self.repository

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
        asks: dict[str, list[Ask]] = {}
        for ask in sorted(self.asks.values(), key=lambda ask: ask.id):
            asks.setdefault(ask.task, []).append(ask)
        newest = {
            task.worktree: task
            for task in sorted(self.tasks.values(), key=lambda task: task.created)
            if task.repository == self.repository
        }
        paths = {**self._names, **{path: PurePath(path).name for path in newest}}
        paths |= self._names
        found = [self._item(path, name, newest.get(path), asks) for path, name in paths.items()]
        return sorted(found, key=_place)

    def asks_of(self, task: str) -> list[Ask]:
        """Return the asks of a task, oldest first."""
        return sorted(
            (ask for ask in self.asks.values() if ask.task == task), key=lambda ask: ask.id
        )

    @property
    def inbox(self) -> list[Entry]:
        """Return what is asked, and what was told and not read: the urgent first, then the old."""
        from ctui.tasks.asks import toolbox_details

        found = [
            Entry(task.id, note.at, note.urgent, note.text)
            for task in self.tasks.values()
            for note in task.unread_notes
        ]
        for ask in self.asks.values():
            details = toolbox_details(ask)
            urgent = details is not None and details.urgent
            found.append(Entry(ask.task, ask.created, urgent, ask.title, ask))
        return sorted(found, key=lambda entry: (not entry.urgent, entry.since, entry.key))

    @property
    def asks_elsewhere(self) -> int:
        """Return the number of asks of other repositories' tasks."""
        here = {task.id for task in self.tasks.values() if task.repository == self.repository}
        return sum(ask.task not in here for ask in self.asks.values())

    @property
    def running(self) -> list[Task]:
        """Return the tasks that work, or would go on if somebody answered."""
        return [task for task in self.tasks.values() if task.works]

    @property
    def cost(self) -> float:
        """Return the cost of all tasks on the list, in US dollars."""
        return sum(task.cost for task in self.tasks.values())

    def _item(
        self, path: str, name: str, task: Task | None, asks: Mapping[str, Sequence[Ask]]
    ) -> Item:
        asked = asks.get(task.id, ()) if task else ()
        status = self._statuses.get(path)
        item = Item(
            path, name, Group.UNKNOWN, task, len(asked), status, asked[0] if asked else None
        )
        return item._replace(group=_group(item))


def _place(item: Item) -> tuple[int, int, str]:
    age = item.since if item.group in _BY_AGE else 0
    return _ORDER[item.group], age, item.name


def _failed(task: Task) -> bool:
    return task.failed or task.reason is EndReason.FAILED


def _group(item: Item) -> Group:
    status, task = item.status, item.task
    if item.asks or item.failed or (task is not None and task.state is TaskState.WAITING):
        return Group.NEEDS_YOU
    if task is not None and task.works:
        return Group.WORKING
    if item.unread:
        return Group.NEW
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
