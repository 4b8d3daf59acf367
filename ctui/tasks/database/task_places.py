"""Places and states of the tasks on the list: columns, without a record being decoded."""

from __future__ import annotations

import sqlite3

import msgspec

from ctui.tasks.database.database import Database
from ctui.tasks.task_state import TaskState


class TaskPlace(msgspec.Struct, frozen=True):
    """A task on the list, as far as its worktree has to know it."""

    id: str
    worktree: str
    state: TaskState
    asks: int
    """Number of its asks that wait for an answer."""


class TaskPlaceTable:
    """Every task on the list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any_at(self, worktree: str) -> bool:
        """Return True if a task on the list works in the worktree at a path."""
        query = "SELECT 1 FROM tasks WHERE worktree = ? AND removed IS NULL LIMIT 1"
        return self._database.row(query, worktree) is not None

    def all(self) -> list[TaskPlace]:
        """Return them oldest first; those whose record is damaged are there too."""
        rows = self._database.rows(
            "SELECT id, worktree, state, coalesce(pending, 0) AS asks FROM tasks LEFT JOIN"
            " (SELECT task, count(*) AS pending FROM asks WHERE state = 'pending' GROUP BY task)"
            " ON task = id WHERE removed IS NULL ORDER BY created, id"
        )
        return self._database.readable("tasks", rows, "{id}", _read)


def _read(row: sqlite3.Row) -> TaskPlace:
    return TaskPlace(row["id"], row["worktree"], TaskState(row["state"]), row["asks"])
