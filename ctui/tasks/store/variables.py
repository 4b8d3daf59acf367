"""Values of tasks' variables, kept apart from the records that front ends show."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from ctui.tasks.database.database import Database

log = logging.getLogger(__name__)


class VariableTable:
    """Values that a task was given by name, in the row of that task."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, task_id: str) -> dict[str, str]:
        """Return the variables of a task with their values."""
        row = self._database.row("SELECT variables FROM tasks WHERE id = ?", task_id)
        if row is None or not row["variables"]:
            return {}
        try:
            return msgspec.json.decode(row["variables"], type=dict[str, str])
        except (msgspec.MsgspecError, ValueError):  # of a damaged store
            log.warning("the variables of %s cannot be read", task_id)
            return {}

    def save(self, task_id: str, values: Mapping[str, str]) -> None:
        """Write the variables of a task that is on record."""
        text = msgspec.json.encode(dict(values)).decode() if values else ""
        self._database.execute("UPDATE tasks SET variables = ? WHERE id = ?", text, task_id)

    def note_given(self, task_id: str, time: int) -> None:
        """Note that a run got the task's secrets; time in nanoseconds since the epoch."""
        self._database.execute("UPDATE tasks SET secrets_given = ? WHERE id = ?", time, task_id)

    def given(self) -> dict[str, int]:
        """Return when tasks got their secrets last, by id."""
        rows = self._database.rows(
            "SELECT id, secrets_given FROM tasks WHERE secrets_given IS NOT NULL"
        )
        return {row["id"]: row["secrets_given"] for row in rows}
