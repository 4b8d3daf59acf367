"""Reading the books, by whoever wants to: nothing here can change them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ctui.errors import StoreUnavailable
from ctui.gateway.books import schema
from ctui.gateway.books.rows import CallRow, RequestRow, Totals

_BUSY_SECONDS = 5.0


def read_calls(path: Path, *, task: str = "", limit: int = 1000) -> list[CallRow]:
    """Return the newest calls of a task, or of all, oldest first."""
    rows = _newest(path, "calls", task, limit)
    return [CallRow(schema.call_of(row), schema.ending_of(row)) for row in rows]


def read_requests(path: Path, *, task: str = "", limit: int = 1000) -> list[RequestRow]:
    """Return the newest attempts of a task, or of all, oldest first."""
    names = RequestRow.__struct_fields__
    return [
        RequestRow(**{name: row[name] for name in names} | {"over": bool(row["over"])})
        for row in _newest(path, "requests", task, limit)
    ]


def read_totals(path: Path) -> dict[str, Totals]:
    """Return what each task has used in all."""
    with _opened(path) as books:
        if books is None:
            return {}
        return {
            row["task"]: Totals(*(row[at] for at in range(1, len(row))))
            for row in books.execute("SELECT * FROM totals")
        }


def _newest(path: Path, table: str, task: str, limit: int) -> list[sqlite3.Row]:
    where = "WHERE task = :task" if task else ""
    query = f"SELECT * FROM {table} {where} ORDER BY id DESC LIMIT :limit"  # noqa: S608 - all ours
    with _opened(path) as books:
        if books is None:
            return []
        return books.execute(query, {"task": task, "limit": limit}).fetchall()[::-1]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open the books for reading; None where there are none.

    Raises:
        StoreUnavailable: they cannot be read.
    """
    if not path.exists():
        yield None
        return
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)) as books:
            books.row_factory = sqlite3.Row
            (version,) = books.execute("PRAGMA user_version").fetchone()
            yield books if version else None
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"the network's books {path} cannot be read: {error}", hint="try again"
        ) from error
