"""The commands that the person allowed for good. Whoever revokes one may be any front end."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ctui.errors import NotFound
from ctui.tasks.database.database import Database
from ctui.tasks.grants import Grant

if TYPE_CHECKING:  # every command opens the store, and few have to do with asks
    from ctui.tasks.asks.kinds.permission import Grantable


class GrantTable:
    """Grants by repository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, repository: str, what: Grantable, task: str, created: int) -> None:
        """Insert a grant; one that is known already stays as it is."""
        self._database.execute(
            "INSERT OR IGNORE INTO grants (repository, tool, content, task, created)"
            " VALUES (?, ?, ?, ?, ?)",
            repository,
            what.tool,
            what.content,
            task,
            created,
        )

    def is_granted(self, repository: str, what: Grantable) -> bool:
        """Tell if exactly this was allowed for good in that repository."""
        return bool(
            self._database.row(
                "SELECT 1 FROM grants WHERE repository = ? AND tool = ? AND content = ?",
                repository,
                what.tool,
                what.content,
            )
        )

    def of(self, repository: str | None = None) -> list[Grant]:
        """Return the grants of a repository, or all; oldest first."""
        rows = self._database.rows(
            "SELECT * FROM grants WHERE ?1 IS NULL OR repository = ?1 ORDER BY id", repository
        )
        return self._database.readable("grants", rows, "{id}", read_grant)

    def revoke(self, grant_id: int) -> Grant:
        """Forget a grant: from now on it is asked again.

        Raises:
            NotFound: there is no such grant.
        """
        with self._database.transaction():
            row = self._database.row("SELECT * FROM grants WHERE id = ?", grant_id)
            if row is None:
                raise NotFound(
                    f"there is no grant {grant_id}", hint="`ctui config grants` lists them"
                )
            self._database.execute("DELETE FROM grants WHERE id = ?", grant_id)
        return read_grant(row)


def read_grant(row: Mapping[str, Any] | sqlite3.Row) -> Grant:
    """Return what a row says; whatever is raised means that it cannot be read."""
    return msgspec.convert(dict(row), Grant)
