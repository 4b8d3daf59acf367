"""Worktrees that can be cleaned up, marks on them, and what would be lost. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from ctui.humanize import size_text
from ctui.tasks.model import Task, TaskState
from ctui.text import one_line
from ctui.tui.board.board import Item
from ctui.tui.board.removal_facts import losses
from ctui.worktrees.model import WorktreeStatus
from ctui.worktrees.trash.removal_checks import FORCED_PROBLEMS

_NAME = 40
_EVIDENCE = 200


class Kind(StrEnum):
    """The groups of the list, the safest first."""

    MERGED = "merged"
    CLEAN = "clean"
    UNCLEAN = "unclean"


class Row(NamedTuple):
    """One worktree that could go."""

    path: str
    name: str
    kind: Kind
    evidence: str
    status: WorktreeStatus
    task: Task | None
    obstacle: str
    """Reason why it cannot be removed now; "" if it can."""
    look_first: str = ""
    """Reason why it is only marked by itself: somebody has still to look at it; "" if not."""


class Consequences(NamedTuple):
    """Consequences of a removal of everything that is marked."""

    facts: list[str]
    losses: list[str]
    """Work that only these worktrees have; the trash keeps it until it is purged."""


class CleanupList:
    """The rows, and which of them are marked."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.marked: set[str] = set()
        self.sizes: dict[str, int] = {}
        """Bytes on disk by path, as far as they are known."""
        self._merged_only = False
        """True if all that is merged was asked for last."""

    def show(self, items: Iterable[Item]) -> None:
        """Take the worktrees as they are now; unmark what has changed since it was marked."""
        before = {row.path: row for row in self.rows}
        self.rows = sorted(
            (row for item in items if (row := _row(item)) is not None),
            key=lambda row: (list(Kind).index(row.kind), row.name),
        )
        self.marked = {
            row.path
            for row in self.rows
            if row.path in self.marked
            and not row.obstacle
            and row.kind == before[row.path].kind
            and row.status.head == before[row.path].status.head
            and row.status.changes == before[row.path].status.changes
        }

    def toggle(self, path: str) -> str:
        """Mark a row, or take its mark away; return why it cannot be marked, or ""."""
        row = next((row for row in self.rows if row.path == path), None)
        if row is None or row.obstacle:
            return row.obstacle if row else ""
        self.marked ^= {path}
        return ""

    def mark_safe(self) -> int:
        """Mark all that is merged; at the next call what is clean too, then nothing.

        What failed, or was not read, is left out: nobody has looked at it.

        Returns:
            how many are marked.
        """
        merged, clean = self._free(Kind.MERGED), self._free(Kind.MERGED, Kind.CLEAN)
        if self.marked and self.marked == clean:
            self.marked, self._merged_only = set(), False
        elif self.marked == merged and self._merged_only:
            self.marked, self._merged_only = clean, False
        else:
            self.marked, self._merged_only = merged, True
        return len(self.marked)

    def _free(self, *kinds: Kind) -> set[str]:
        """Return the rows of some kinds that could go, and that nobody has to look at first."""
        return {
            row.path
            for row in self.rows
            if row.kind in kinds and not row.obstacle and not row.look_first
        }

    @property
    def chosen(self) -> list[Row]:
        """Return the marked rows, in their order."""
        return [row for row in self.rows if row.path in self.marked]

    @property
    def unclean(self) -> list[Row]:
        """Return those of the marked rows that need a confirmation of their own."""
        return [row for row in self.chosen if row.kind is Kind.UNCLEAN]

    def consequences(self, *, delete_branches: bool) -> Consequences:
        """Return what goes where, and what nobody else has."""
        chosen = self.chosen
        if not chosen:
            return Consequences([], [])
        counts = [
            f"{sum(row.kind is kind for row in chosen)} {kind}"
            for kind in Kind
            if any(row.kind is kind for row in chosen)
        ]
        size = sum(self.sizes.get(row.path, 0) for row in chosen)
        known = all(row.path in self.sizes for row in chosen)
        room = f", {size_text(size)}{'' if known else ' or more'}" if size else ""
        what = "worktree goes" if len(chosen) == 1 else "worktrees go"
        facts = [f"{len(chosen)} {what} to the trash ({', '.join(counts)}{room})."]
        branches = "Their branches are deleted too" if delete_branches else "Their branches stay"
        facts.append(f"{branches}; `u` brings everything back.")
        if idle := [row.task.id for row in chosen if row.task and row.task.state is TaskState.IDLE]:
            facts.append(f"Idle tasks are stopped: {one_line(', '.join(idle), _EVIDENCE)}.")
        return Consequences(facts, [loss for row in chosen if (loss := _loss(row))])


def _row(item: Item) -> Row | None:
    status = item.status
    if status is None:
        return None
    return Row(
        item.path,
        one_line(item.name, _NAME),
        Kind(status.status),
        one_line(status.problem or status.evidence, _EVIDENCE),
        status,
        item.task,
        _obstacle(status, item.task),
        "its last turn failed" if item.failed else "not read yet" if item.unread else "",
    )


def _obstacle(status: WorktreeStatus, task: Task | None) -> str:
    if task is not None and task.works:
        doing = str(task.state) if task.state.live else "running a command"
        return f"the task {one_line(task.id, _NAME)} is {doing}: stop it first"
    if status.locked is not None:
        why = f": {one_line(status.locked, _EVIDENCE)}" if status.locked else ""
        return f"it is locked{why}"
    if status.is_target:
        return "it has the branch that others are judged against"
    if status.problem is not None and status.problem not in FORCED_PROBLEMS:
        return f"it is {status.problem}: `ctui worktree list` says what to do"
    return ""


def _loss(row: Row) -> str:
    """Return what is nowhere but in this worktree and its branch; "" if nothing is."""
    if row.kind is not Kind.UNCLEAN:
        return ""
    return f"{row.name}: {losses(row.status)}"
