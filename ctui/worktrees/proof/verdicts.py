"""Cache of verdicts, by everything that they depend on.

Commits never change, so a verdict about them is always valid: an entry is never out of date, it is
only no longer asked for. A file that is damaged, locked or not writable is treated as an empty
cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ctui.errors import CtuiError
from ctui.paths import private_folder
from ctui.worktrees.model import Proof

if TYPE_CHECKING:
    import sqlite3

_FILE = "verdicts.db"
_ENTRIES = 20_000
"""Number of verdicts, about 6 MB; the oldest are deleted first."""

_BUSY_SECONDS = 1.0
_AT_ONCE = 500
"""Less than the number of variables in a statement of any SQLite (sqlite.org/limits.html)."""

_T = TypeVar("_T")


class VerdictCache:
    """Proofs by key, in one file for all repositories and processes."""

    def __init__(self, folder: Path, limit: int = _ENTRIES) -> None:
        self._folder = folder
        self._limit = limit

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Proof]:
        """Return those of the keys that are known."""
        wanted = list(keys)

        def read(db: sqlite3.Connection) -> dict[bytes, Proof]:
            found: dict[bytes, Proof] = {}
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, proof FROM proofs WHERE key IN ({marks})"  # noqa: S608 - only question marks
                for key, data in db.execute(query, part):
                    with suppress(msgspec.DecodeError):
                        found[key] = msgspec.json.decode(data, type=Proof)
            return found

        return self._with(read, {})

    def keep(self, proofs: Mapping[bytes, Proof]) -> None:
        """Store proofs, and delete the oldest if there are too many."""
        rows = [(key, msgspec.json.encode(proof)) for key, proof in proofs.items()]

        def write(db: sqlite3.Connection) -> None:
            db.executemany("INSERT OR REPLACE INTO proofs (key, proof) VALUES (?, ?)", rows)
            # A replaced row gets a new rowid, so that rowids are in the order of writing.
            newest = "(SELECT max(number) FROM proofs)"
            db.execute(f"DELETE FROM proofs WHERE number <= {newest} - ?", (self._limit,))  # noqa: S608 - a constant

        if rows:
            self._with(write, None)

    def size(self) -> int:
        """Return the bytes on disk, 0 if nothing is kept."""
        path = self._folder / _FILE
        with suppress(OSError):
            size = path.stat().st_size
            return size if self._with(_any_proof, otherwise=True) else 0
        return 0

    def clear(self) -> None:
        """Delete all of them; a process that has the file open continues with an empty one."""
        if self.size():
            self._with(lambda db: db.execute("DELETE FROM proofs"), None)
            self._with(lambda db: db.execute("VACUUM"), None)

    def _with(self, action: Callable[[sqlite3.Connection], _T], otherwise: _T) -> _T:
        import sqlite3

        for _ in range(2):
            try:
                with closing(self._open()) as db, db:
                    return action(db)
            except sqlite3.DatabaseError as error:
                code = getattr(error, "sqlite_errorcode", None)
                if code not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                    break
                self._forget_all()
            except (CtuiError, OSError):
                break
        return otherwise

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        path = private_folder(self._folder) / _FILE
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        db = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        try:
            # A cache that a power failure damaged is deleted.
            db.execute("PRAGMA synchronous = OFF")
            db.execute(
                "CREATE TABLE IF NOT EXISTS proofs"
                " (number INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, proof BLOB NOT NULL)"
            )
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def _forget_all(self) -> None:
        for suffix in ("", "-journal"):
            with suppress(OSError):
                (self._folder / (_FILE + suffix)).unlink()


def _any_proof(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM proofs LIMIT 1").fetchone() is not None
