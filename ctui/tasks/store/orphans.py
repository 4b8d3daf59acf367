"""Rows without their counterpart: set aside, so that none of them is in anybody's way."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from ctui.tasks.database.database import DamagedRow, Database
from ctui.tasks.store.clock import now

_KEYS = {"runs": "{task}/{number}", "asks": "{id}", "messages": "{id}", "turns": "{task}/{turn}"}
_REASON = "its task is missing"


def quarantine_orphans(database: Database) -> list[DamagedRow]:
    """Move the rows whose task is missing into the table `quarantine`, and return them."""
    if not any(database.row(_orphans(table, "1")) for table in _KEYS):
        return []
    found: list[DamagedRow] = []
    with database.transaction():
        for table, key in _KEYS.items():
            for row in database.rows(_orphans(table, "*")):
                found.append(DamagedRow(table, key.format_map(row), _REASON))
                database.execute(
                    "INSERT INTO quarantine (origin, row, reason, created) VALUES (?, ?, ?, ?)",
                    table,
                    msgspec.json.encode(dict(row)).decode(),
                    _REASON,
                    now(),
                )
            database.execute(_orphans(table, ""))
    for orphan in found:
        database.note(orphan)
    return found


def quarantined_places(database: Database) -> dict[str, str]:
    """Return the worktree of each task in the quarantine, whose other columns can be read."""
    found = {}
    for row in database.rows("SELECT row FROM quarantine WHERE origin = 'tasks' ORDER BY id"):
        with suppress(msgspec.MsgspecError):
            place = msgspec.json.decode(row["row"], type=_Place)
            found[place.id] = place.worktree
    return found


class _Place(msgspec.Struct, frozen=True):
    id: str
    worktree: str


def _orphans(table: str, columns: str) -> str:
    verb = f"SELECT {columns}" if columns else "DELETE"
    return f"{verb} FROM {table} WHERE task NOT IN (SELECT id FROM tasks)"  # noqa: S608 - constants
