"""Copy of what can still be read of a damaged store into a new one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from ctui.tasks.database.database import DamagedRow, Database
from ctui.tasks.database.threads import read_remark, read_thread
from ctui.tasks.store.asks import read_ask
from ctui.tasks.store.clock import now
from ctui.tasks.store.grants import read_grant
from ctui.tasks.store.host_rules import read_host_rule
from ctui.tasks.store.messages import read_message
from ctui.tasks.store.runs import read_run
from ctui.tasks.store.tasks import read_task
from ctui.tasks.store.trust import read_trust
from ctui.tasks.store.turns import read_turn

_Row = dict[str, Any]


def _anything(row: _Row) -> object:
    return row


_TABLES: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "quarantine": ("{id}", _anything),
    "tasks": ("{id}", read_task),
    "runs": ("{task}/{number}", read_run),
    "asks": ("{id}", read_ask),
    "messages": ("{id}", read_message),
    "turns": ("{task}/{turn}", read_turn),
    "grants": ("{id}", read_grant),
    "host_rules": ("{id}", read_host_rule),
    "trust": ("{id}", read_trust),
    "threads": ("{id}", read_thread),
    "remarks": ("{id}", read_remark),
    "read_marks": ("{path}", _anything),
    "looks": ("{worktree}", _anything),
    "worktrees": ("{path}", lambda row: msgspec.json.decode(row["record"])),
}
"""Name of a table's rows, and the reader of one. What was in quarantine keeps its ids."""

_OF_A_TASK = {"tasks": "id", "runs": "task", "asks": "task", "messages": "task", "turns": "task"}


def salvage(
    source: Path, target: Database, *, only_tasks: Collection[str] | None = None
) -> list[DamagedRow]:
    """Copy every readable row of a damaged file; a row that is there already stays.

    Args:
        source: the damaged file, which is not changed.
        target: a store, whose foreign keys are not looked at any more.
        only_tasks: nothing but what belongs to these.

    Returns:
        what could not be read. A row that could be read but not understood is in the target's
        quarantine.
    """
    damaged: list[DamagedRow] = []
    with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old:
        old.row_factory = sqlite3.Row
        old.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        try:
            old.execute("PRAGMA schema_version").fetchone()
        except sqlite3.Error as error:
            return [DamagedRow("store", source.name, f"nothing of it can be read: {error}")]
        target.execute("PRAGMA foreign_keys = OFF")
        with target.transaction():
            for table in _TABLES if only_tasks is None else _OF_A_TASK:
                damaged += _copy(old, target, table, only_tasks)
            if only_tasks is None:
                damaged += _old_trust(old, target)
    return damaged


def _copy(
    old: sqlite3.Connection, target: Database, table: str, only_tasks: Collection[str] | None
) -> list[DamagedRow]:
    key, read = _TABLES[table]
    columns = {row["name"] for row in target.rows(f"PRAGMA table_info({table})")}
    damaged: list[DamagedRow] = []
    for row in _rows(old, table, damaged):
        if only_tasks is not None and row.get(_OF_A_TASK[table]) not in only_tasks:
            continue
        try:
            read(row)
            _insert(target, table, {name: row[name] for name in row if name in columns})
        except (msgspec.MsgspecError, ValueError, TypeError, KeyError) as error:
            reason = " ".join(str(error).split())[:200]
            found = DamagedRow(table, key.format_map(_Named(row)), reason)
            damaged.append(found)
            _set_aside(target, row, found)
    return damaged


def _rows(old: sqlite3.Connection, table: str, damaged: list[DamagedRow]) -> Iterator[_Row]:
    """Yield rows from both ends: a damaged page ends a walk, and there is a way from behind it."""
    seen: set[int] = set()
    for order in ("ASC", "DESC"):
        try:
            query = f"SELECT rowid AS _row, * FROM {table} NOT INDEXED ORDER BY rowid {order}"  # noqa: S608 - constants
            for row in old.execute(query):
                if row["_row"] in seen:
                    return
                seen.add(row["_row"])
                yield {name: row[name] for name in row.keys() if name != "_row"}  # noqa: SIM118 - a Row iterates over its values
        except sqlite3.Error as error:
            if "no such table" in str(error):
                return
            if order == "DESC":
                damaged.append(DamagedRow(table, "?", f"some rows cannot be read: {error}"))
        else:
            return


def _old_trust(old: sqlite3.Connection, target: Database) -> list[DamagedRow]:
    damaged: list[DamagedRow] = []
    for row in _rows(old, "trusted_repositories", damaged):
        given = {"digest": "", "what": "", "created": row["trusted"]}
        _insert(target, "trust", {"repository": row["repository"], **given})
    return damaged


def _insert(target: Database, table: str, row: _Row) -> None:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    query = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - its own columns
    target.execute(query, *row.values())


def _set_aside(target: Database, row: _Row, found: DamagedRow) -> None:
    values = {
        name: repr(value) if isinstance(value, bytes) else value for name, value in row.items()
    }
    text = str(values).encode("utf-8", "backslashreplace").decode()
    with suppress(ValueError):
        text = msgspec.json.encode(values).decode()
    target.execute(
        "INSERT INTO quarantine (origin, row, reason, created) VALUES (?, ?, ?, ?)",
        found.table,
        text,
        found.reason,
        now(),
    )


class _Named(dict[str, Any]):
    """Columns for a key, where some may be missing."""

    def __missing__(self, name: str) -> str:
        return "?"
