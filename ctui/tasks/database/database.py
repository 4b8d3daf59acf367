"""The SQLite file: opened, migrated, and locked so that two processes can do so at once."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from ctui.errors import CtuiError, Refused, StoreDamaged, StoreLocked, StoreUnavailable
from ctui.files import sync_folder
from ctui.tasks.database.schema import MIGRATIONS

log = logging.getLogger(__name__)

T = TypeVar("T")

MEMORY = ":memory:"
_POLL_SECONDS = 0.02


class DamagedRow(NamedTuple):
    """A row that cannot be used, and why."""

    table: str
    key: str
    reason: str


class Database:
    """One connection, and its errors turned into ours."""

    def __init__(self, path: Path | str, *, busy_seconds: float = 10.0) -> None:
        """Open the file and bring it to the newest version; see `Store`."""
        self.path = Path(path)
        self._busy_seconds = busy_seconds
        self._depth = 0
        self._damaged: dict[tuple[str, str], DamagedRow] = {}
        with self._translated():
            fresh = str(path) != MEMORY and self._is_fresh()
            self._db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
            try:
                self._prepare(fresh=fresh)
            except BaseException:  # whatever it was: nobody else would close it
                self._db.close()
                raise

    def close(self) -> None:
        self._db.close()

    def execute(self, query: str, *values: object) -> sqlite3.Cursor:
        """Run one statement."""
        try:
            return self._db.execute(query, values)
        except sqlite3.Error as error:
            raise translation(self.path, error) from error

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows."""
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise translation(self.path, error) from error

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        """Return the first row, or None."""
        try:
            found: sqlite3.Row | None = self._db.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise translation(self.path, error) from error
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside happen, or nothing of it; one inside another is a part of it."""
        outer = not self._depth
        self.execute("BEGIN IMMEDIATE" if outer else "SAVEPOINT inner_part")
        self._depth += 1
        try:
            yield
            self.execute("COMMIT" if outer else "RELEASE inner_part")
        except BaseException:  # whatever it was: a transaction left open locks all others out
            if self._db.in_transaction:  # a full disk may have ended it already
                self.execute("ROLLBACK" if outer else "ROLLBACK TO inner_part")
            raise
        finally:
            self._depth -= 1

    def never_wait(self) -> None:
        """Wait neither for another process nor for the disk from now on; see `Store`."""
        self.execute("PRAGMA busy_timeout = 0")
        self.execute("PRAGMA synchronous = NORMAL")

    def sync(self) -> None:
        """Put every commit on the disk itself; see `Store`."""
        if str(self.path) == MEMORY:
            return
        # What is not in this file any more was put into the store, and synced on the way. SQLite
        # holds its locks on the other two files: closing this one drops none.
        with suppress(FileNotFoundError):
            descriptor = os.open(f"{self.path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_folder(self.path.parent)

    def readable(
        self, table: str, rows: Iterable[sqlite3.Row], key: str, read: Callable[[sqlite3.Row], T]
    ) -> list[T]:
        """Return what can be read of the rows; the others are noted and skipped.

        `key` is what a row is called by, a format of its columns.
        """
        found = []
        for row in rows:
            try:
                for text in row:
                    if isinstance(text, str) and not text.isascii():
                        text.encode()  # bytes that are no UTF-8 would fail where nobody expects it
                found.append(read(row))
            except (msgspec.MsgspecError, ValueError, TypeError) as error:
                reason = " ".join(str(error).split())[:200]
                self.note(DamagedRow(table, key.format_map(row), reason))
        return found

    def only(self, table: str, row: sqlite3.Row, key: str, read: Callable[[sqlite3.Row], T]) -> T:
        """Return what a row says. Raises StoreDamaged if it cannot be read."""
        for found in self.readable(table, [row], key, read):
            return found
        raise StoreDamaged(
            f"the store's record of {table[:-1]} {key.format_map(row)} cannot be read",
            hint="`ctui doctor --repair` rebuilds it from its journal",
        )

    def damage(self, what: str) -> StoreDamaged:
        """Return the error that says what is wrong with the whole file."""
        return _damaged(self.path, what)

    def damaged(self) -> list[DamagedRow]:
        """Return the rows that were skipped since the file was opened."""
        return list(self._damaged.values())

    def note(self, damaged: DamagedRow) -> None:
        """Keep word of a damaged row, and log it the first time."""
        if self._damaged.setdefault((damaged.table, damaged.key), damaged) is damaged:
            log.warning("%s %s is skipped: %s", *damaged)

    def _is_fresh(self) -> bool:
        """Look whether the file has still to be made. Raises StoreDamaged if it was lost."""
        if self.path.exists() and self.path.stat().st_size:
            return False
        if any(self.path.parent.glob("tasks/*/*.json*")):
            what = "is empty" if self.path.exists() else "is gone"
            raise StoreDamaged(
                f"the store {self.path} {what}, but there are journals of its tasks",
                hint="`ctui doctor --repair` rebuilds it from them",
            )
        return True

    def _prepare(self, *, fresh: bool) -> None:
        self._db.row_factory = sqlite3.Row
        # SQLite's own way ends a whole query at the first text that is not UTF-8.
        self._db.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        if str(self.path) == MEMORY:
            self._migrate()
        elif fresh or self._version() != len(MIGRATIONS):
            self.path.chmod(0o600)
            with self._turn():
                self._migrate()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the lock of those who migrate.

        SQLite does not wait when two connections switch a new file to WAL: it fails.
        """
        lock = os.open(
            self.path.with_name(self.path.name + ".lock"), os.O_WRONLY | os.O_CREAT, 0o600
        )
        with os.fdopen(lock, "w") as turn:
            end = time.monotonic() + self._busy_seconds
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() >= end:
                    raise _locked(self.path)
                time.sleep(_POLL_SECONDS)
            yield

    def _migrate(self) -> None:
        if self._version() > len(MIGRATIONS):
            raise Refused(
                f"{self.path} was written by a newer ctui", hint="upgrade ctui, it keeps your tasks"
            )
        if self._version() == 0:
            self._db.execute("PRAGMA journal_mode = WAL")
        while (version := self._version()) < len(MIGRATIONS):
            with self.transaction():
                for statement in MIGRATIONS[version].split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {version + 1}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise translation(self.path, error) from error
        except OSError as error:
            raise StoreUnavailable(f"{self.path} cannot be used: {error.strerror}") from error


def translation(path: Path, error: sqlite3.Error) -> CtuiError:
    """Return the error of ours that says what SQLite's means."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}:
        return _damaged(path, str(error))
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return _locked(path)
    if code == sqlite3.SQLITE_FULL:
        return StoreUnavailable(f"the disk with {path} is full", hint="free some space, try again")
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return StoreUnavailable(
            f"the store {path} cannot be written", hint="make it and its folder writable for you"
        )
    return StoreUnavailable(f"the store {path} cannot be used: {error}", hint="`ctui doctor`")


def _locked(path: Path) -> StoreLocked:
    return StoreLocked(
        f"the store {path} is locked by another program", hint="end it, or wait and try again"
    )


def _damaged(path: Path, what: str) -> StoreDamaged:
    return StoreDamaged(
        f"the store {path} is damaged ({what})",
        hint="`ctui doctor --repair` keeps the file and rebuilds it from journals",
    )
