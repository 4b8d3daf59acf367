"""The repositories' own Claude settings that the person trusts for good, by their content."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.errors import NotFound
from ctui.tasks.database.database import Database
from ctui.tasks.store.clock import now


class TrustGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A remembered trust in what a repository's settings say."""

    id: int
    repository: str
    """The main repository's `.git` folder."""
    digest: str
    """SHA-256 of the settings' content; empty for one of an older ctui, which covers nothing."""
    what: str
    """The files that it covers, as a person reads them."""
    created: int
    """Nanoseconds since the epoch."""


class TrustTable:
    """Trust by repository and content."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, repository: str, digest: str, what: str) -> TrustGrant:
        """Trust this content from now on; one that is trusted already keeps its date."""
        self._database.execute(
            "INSERT OR IGNORE INTO trust (repository, digest, what, created) VALUES (?, ?, ?, ?)",
            repository,
            digest,
            what,
            now(),
        )
        row = self._database.row(
            "SELECT * FROM trust WHERE repository = ? AND digest = ?", repository, digest
        )
        if row is None:  # somebody revoked it in between
            raise NotFound(f"{repository} is not trusted any more", hint="trust it again")
        return read_trust(row)

    def covers(self, repository: str, digest: str) -> bool:
        """Tell if exactly this content is trusted in that repository."""
        return bool(digest) and bool(
            self._database.row(
                "SELECT 1 FROM trust WHERE repository = ? AND digest = ?", repository, digest
            )
        )

    def list(self, repository: str | None = None) -> list[TrustGrant]:
        """Return what is trusted in a repository, or everywhere; oldest first."""
        rows = self._database.rows(
            "SELECT * FROM trust WHERE ?1 IS NULL OR repository = ?1 ORDER BY id", repository
        )
        return self._database.readable("trust", rows, "{id}", read_trust)

    def revoke(self, trust_id: int) -> TrustGrant:
        """Forget a trust.

        Raises:
            NotFound: there is none of that id.
        """
        with self._database.transaction():
            row = self._database.row("SELECT * FROM trust WHERE id = ?", trust_id)
            if row is None:
                hint = "`ctui config trust` shows what is trusted"
                raise NotFound(f"there is no trust {trust_id}", hint=hint)
            self._database.execute("DELETE FROM trust WHERE id = ?", trust_id)
        return read_trust(row)


def read_trust(row: Mapping[str, Any] | sqlite3.Row) -> TrustGrant:
    """Return what a row says; whatever is raised means that it cannot be read."""
    return msgspec.convert(dict(row), TrustGrant)
