"""The tasks: each a record, and the columns that it is looked for by."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ctui.errors import Conflict, NotFound
from ctui.tasks.database.database import Database
from ctui.tasks.model import Task
from ctui.tasks.store.clock import now

_COLUMNS = "id, CAST(record AS BLOB) AS record, removed"
"""The record is decoded from its bytes: with a thousand tasks that is half of the time."""
_BATCH = 50


# Made here and not when it is first used: that could be in two threads of the dashboard at the
# same moment, and msgspec prepares a type without a lock.
_decoder = msgspec.json.Decoder(Task)


class TaskTable:
    """Every task that was not purged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, task: Task) -> None:
        """Insert a new task. Raises Conflict if its id was ever given."""
        with self._database.transaction():
            if self._database.row("SELECT 1 FROM tasks WHERE id = ?", task.id):
                raise Conflict(f"a task {task.id} exists already", hint="choose another --task-id")
            self._database.execute(
                "INSERT INTO tasks (id, state, worktree, repository, created, removed, record)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                task.id,
                task.state,
                task.worktree,
                task.repository,
                task.created,
                task.removed,
                _text(task),
            )

    def save(self, task: Task) -> None:
        """Write what changed; `removed` is changed by `mark_removed` only."""
        self._database.execute(
            "UPDATE tasks SET state = ?, record = ? WHERE id = ?", task.state, _text(task), task.id
        )

    def get(self, task_id: str, *, removed: bool = False) -> Task:
        """Return one task; with `removed` also one that was taken off the list.

        Raises:
            NotFound: there is no such task.
            StoreDamaged: its record cannot be read.
        """
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM tasks WHERE id = ? AND (?2 OR removed IS NULL)",  # noqa: S608 - constants
            task_id,
            removed,
        )
        if row is None:
            raise NotFound(f"there is no task {task_id}", hint="`ctui task list` shows them")
        return self._database.only("tasks", row, "{id}", read_task)

    def list(self, worktree: str | None = None, *, removed: bool = False) -> list[Task]:
        """Return all tasks on the list, or with `removed` those taken off it; oldest first.

        Raises:
            StoreDamaged: one of the worktree's tasks cannot be read. Who asks for a worktree's
                tasks decides what may be done with it; of all tasks, such a one is left out.
        """
        listed = "IS NOT NULL" if removed else "IS NULL"
        where, values = ("", ()) if worktree is None else (" AND worktree = ?", (worktree,))
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM tasks WHERE removed {listed}{where} ORDER BY created, id",  # noqa: S608 - constants
            *values,
        )
        if worktree is not None:
            return [self._database.only("tasks", row, "{id}", read_task) for row in rows]
        return self._database.readable("tasks", rows, "{id}", read_task)

    def newest(self, worktree: str) -> Task | None:
        """Return the task on the list that began last in a worktree, or None; raises as `list`."""
        return next(reversed(self.list(worktree=worktree)), None)

    def after(self, created: int, task_id: str, *, removed: bool = False) -> Iterator[Task]:
        """Yield the tasks behind one in the order of `list`; that one may be gone.

        They are read a few at a time: there may be thousands, with long texts.
        """
        listed = "IS NOT NULL" if removed else "IS NULL"
        while rows := self._database.rows(
            f"SELECT {_COLUMNS}, created FROM tasks WHERE removed {listed}"  # noqa: S608 - constants
            " AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?",
            created,
            task_id,
            _BATCH,
        ):
            yield from self._database.readable("tasks", rows, "{id}", read_task)
            created, task_id = rows[-1]["created"], rows[-1]["id"]

    def ids(self) -> set[str]:
        """Return every id that was ever given: what a removed task used may remain."""
        return {row["id"] for row in self._database.rows("SELECT id FROM tasks")}

    def mark_removed(self, task_id: str, *, removed: bool = True) -> None:
        """Take a task off the list, or put it back."""
        when = now() if removed else None
        self._database.execute("UPDATE tasks SET removed = ? WHERE id = ?", when, task_id)

    def forget(self, task_id: str) -> None:
        """Delete every row of a task. Its journal and volume are the caller's business."""
        with self._database.transaction():
            for table in ("messages", "asks", "runs", "turns", "host_rules"):
                self._database.execute(f"DELETE FROM {table} WHERE task = ?", task_id)  # noqa: S608 - constants
            self._database.execute("DELETE FROM tasks WHERE id = ?", task_id)


def _text(task: Task) -> str:
    return msgspec.json.encode(task).decode()


def read_task(row: Mapping[str, Any] | sqlite3.Row) -> Task:
    """Return what a row says; whatever is raised means that it cannot be read."""
    task = _decoder.decode(row["record"])
    task.removed = row["removed"]
    return task
