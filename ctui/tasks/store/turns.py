"""The turns of all tasks."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.tasks.database.database import Database
from ctui.tasks.turn import Turn

_KEY = "{task}/{turn}"
_COLUMNS = msgspec.structs.fields(Turn)


class TurnTable:
    """One row for each turn of each task."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, turn: Turn) -> None:
        """Write a turn, new or as it is by now."""
        names = ", ".join(column.name for column in _COLUMNS)
        places = ", ".join("?" for _ in _COLUMNS)
        self._database.execute(
            f"INSERT OR REPLACE INTO turns ({names}) VALUES ({places})",  # noqa: S608 - own names
            *msgspec.structs.astuple(turn),
        )

    def of(self, task_id: str) -> list[Turn]:
        """Return the turns of a task, the first one first."""
        return self._read(
            self._database.rows("SELECT * FROM turns WHERE task = ? ORDER BY turn", task_id)
        )

    def last(self, task_id: str) -> Turn | None:
        """Return the newest turn of a task, or None."""
        rows = self._database.rows(
            "SELECT * FROM turns WHERE task = ? ORDER BY turn DESC LIMIT 1", task_id
        )
        return next(iter(self._read(rows)), None)

    def get(self, task_id: str, number: int) -> Turn | None:
        """Return one turn of a task, or None."""
        rows = self._database.rows(
            "SELECT * FROM turns WHERE task = ? AND turn = ?", task_id, number
        )
        return next(iter(self._read(rows)), None)

    def _read(self, rows: list[sqlite3.Row]) -> list[Turn]:
        return self._database.readable("turns", rows, _KEY, read_turn)


def read_turn(row: Mapping[str, Any] | sqlite3.Row) -> Turn:
    """Return what a row says; whatever is raised means that it cannot be read."""
    return msgspec.convert(dict(row), Turn)
