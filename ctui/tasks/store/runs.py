"""The runs of all tasks, and how far each one's record was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.sandbox.runner import Seen
from ctui.tasks.database.database import DamagedRow, Database
from ctui.tasks.model import Run

_KEY = "{task}/{number}"


class RunTable:
    """One row for each life of the CLI process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: Run) -> None:
        self._database.execute(
            "INSERT INTO runs"
            " (task, number, container, created, ended, exit_code, cost_before, intent)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            run.task,
            run.number,
            run.container,
            run.created,
            run.ended,
            run.exit_code,
            run.cost_before,
            run.intent,
        )

    def save(self, run: Run) -> None:
        """Write what changes in a run's life."""
        self._database.execute(
            "UPDATE runs SET container = ?, ended = ?, exit_code = ?, intent = ?"
            " WHERE task = ? AND number = ?",
            run.container,
            run.ended,
            run.exit_code,
            run.intent,
            run.task,
            run.number,
        )

    def of(self, task_id: str) -> list[Run]:
        """Return a task's runs, the first one first."""
        return self._read(
            self._database.rows("SELECT * FROM runs WHERE task = ? ORDER BY number", task_id)
        )

    def last(self, task_id: str) -> Run | None:
        """Return a task's newest run, or None."""
        rows = self._database.rows(
            "SELECT * FROM runs WHERE task = ? ORDER BY number DESC LIMIT 1", task_id
        )
        return next(iter(self._read(rows)), None)

    def open(self) -> list[Run]:
        """Return the runs whose end was not seen yet: after a crash they are adopted.

        One whose task is missing is noted as damaged and left out.
        """
        rows = self._database.rows(
            "SELECT runs.*, tasks.id AS known FROM runs LEFT JOIN tasks ON tasks.id = runs.task"
            " WHERE ended IS NULL ORDER BY runs.created"
        )
        for row in rows:
            if row["known"] is None:
                self._database.note(DamagedRow("runs", _KEY.format_map(row), "its task is missing"))
        return self._read([row for row in rows if row["known"] is not None])

    def seen(self, task_id: str, number: int) -> Seen | None:
        """Return how far a run's record was read; None if that was never written."""
        row = self._database.row(
            "SELECT seen_out, seen_err FROM runs WHERE task = ? AND number = ?", task_id, number
        )
        if row is None or row["seen_out"] is None or row["seen_err"] is None:
            return None
        return Seen(row["seen_out"], row["seen_err"])

    def set_seen(self, task_id: str, number: int, out: int, err: int) -> None:
        """Write how far a run's record was read, together with what its lines caused."""
        self._database.execute(
            "UPDATE runs SET seen_out = ?, seen_err = ? WHERE task = ? AND number = ?",
            out,
            err,
            task_id,
            number,
        )

    def _read(self, rows: list[sqlite3.Row]) -> list[Run]:
        return self._database.readable("runs", rows, _KEY, read_run)


def read_run(row: Mapping[str, Any] | sqlite3.Row) -> Run:
    """Return what a row says; whatever is raised means that it cannot be read."""
    return msgspec.convert(dict(row), Run)
