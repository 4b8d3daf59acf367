"""The books' file: opened, migrated, and set aside where it is damaged."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ctui.errors import Refused, StoreUnavailable
from ctui.gateway.books import schema
from ctui.gateway.books.rows import Ending, NewCall, Usage

log = logging.getLogger(__name__)

Estimate = Callable[[NewCall, Usage], Ending]
"""Returns what a call is booked with of which nobody knows how it ended."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY_SECONDS = 5.0


def open_books(path: Path) -> sqlite3.Connection:
    """Open the file, or a new one beside the damaged one.

    Raises:
        StoreUnavailable: it cannot be opened or written.
        Refused: a newer ctui made it.
    """
    try:
        return _open(path)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise unavailable(path, error) from error
    set_aside(path)
    try:
        return _open(path)
    except sqlite3.Error as error:
        raise unavailable(path, error) from error


def is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def set_aside(path: Path) -> None:
    """Rename a damaged file: it is a record, so nothing that somebody works on is lost."""
    kept = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    log.error("%s is damaged: it is kept as %s, and new books are begun", path, kept.name)
    with suppress(FileNotFoundError):
        path.rename(kept)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def unavailable(path: Path, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        f"the network's books {path} cannot be written: {error}",
        hint="free some space, and make the file and its folder writable for you",
    )


def book_the_killed(books: sqlite3.Connection, estimate: Estimate) -> int:
    """End by an estimate what an earlier process began and did not end; return how many."""
    rows = books.execute("SELECT * FROM calls WHERE ended IS NULL").fetchall()
    for row in rows:
        call = schema.call_of(row)
        for statement, values in schema.end(call, estimate(call, schema.usage_of(row))):
            books.execute(statement, values)
    books.execute("UPDATE requests SET over = 1 WHERE over = 0")
    return len(rows)


def _open(path: Path) -> sqlite3.Connection:
    # The file is made with its mode, so that nobody else reads it for a moment either.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    books = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        books.row_factory = sqlite3.Row
        books.execute("PRAGMA journal_mode = WAL")
        # A commit survives the end of this process, however it ends; only a power failure may
        # cost the last ones, and they would cost a wait for the disk with each call.
        books.execute("PRAGMA synchronous = NORMAL")
        books.execute("PRAGMA journal_size_limit = 4194304")
        _migrate(path, books)
    except BaseException:  # whatever it was: nobody else would close it
        books.close()
        raise
    return books


def _migrate(path: Path, books: sqlite3.Connection) -> None:
    (version,) = books.execute("PRAGMA user_version").fetchone()
    if version > len(schema.MIGRATIONS):
        raise Refused(
            f"{path} was written by a newer ctui", hint="upgrade ctui, or remove that file"
        )
    for number, step in enumerate(schema.MIGRATIONS[version:], version + 1):
        books.execute("BEGIN IMMEDIATE")
        for statement in step.split(";"):
            books.execute(statement)
        books.execute(f"PRAGMA user_version = {number}")
        books.execute("COMMIT")
