"""The SQLite file: opened, migrated, and locked so that two processes can do so at once."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ctui.errors import CtuiError, Refused, Unavailable
from ctui.tasks.schema import MIGRATIONS

_BUSY_SECONDS = 10.0


class Database:
    """One connection, and its errors turned into ours."""

    def __init__(self, path: Path) -> None:
        """Open the store and bring it to the newest version.

        Raises:
            Unavailable: it cannot be opened or written (full disk, read-only folder).
            Refused: it is damaged, or a newer ctui wrote it.
        """
        self.path = path
        with self._translated():
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            path.chmod(0o600)
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            # SQLite does not wait when two connections switch a new file to WAL: it fails.
            lock = os.open(path.with_name(path.name + ".lock"), os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(lock, "w") as turn:
                fcntl.flock(turn, fcntl.LOCK_EX)
                self._migrate()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing of it."""
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:  # whatever it was: a transaction left open locks all others out
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._translated():
            return self._db.execute(query, values).fetchall()

    def _migrate(self) -> None:
        if self._version() > len(MIGRATIONS):
            raise Refused(
                f"{self.path} was written by a newer ctui", hint="upgrade ctui, it keeps your tasks"
            )
        if self._version() == 0:
            self._db.execute("PRAGMA journal_mode = WAL")
        while (version := self._version()) < len(MIGRATIONS):
            self._db.execute("BEGIN IMMEDIATE")
            for statement in MIGRATIONS[version].split(";"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {version + 1}")
            self._db.execute("COMMIT")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translation(self.path, error) from error
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be used: {error.strerror}") from error


def _translation(path: Path, error: sqlite3.Error) -> CtuiError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return Refused(
            f"the store {path} is damaged",
            hint=f"move it away (mv {path} {path}.damaged): worktrees, branches and journals stay",
        )
    if code == sqlite3.SQLITE_FULL:
        return Unavailable(f"the disk with {path} is full", hint="free some space and try again")
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return Unavailable(
            f"the store {path} cannot be written", hint="make its folder writable for you"
        )
    return Unavailable(f"the store {path} cannot be used: {error}")
