"""Grants: commands that the person allowed for good, in one repository.

A grant allows what was shown and nothing else: one command, letter for letter. The CLI never learns
of it, because a rule of its own lets more through (`timeout 5 X`, `echo code | X` and `X < file`
for `X`, measured with 2.1.197): it asks each time, and the driver answers.
"""

from __future__ import annotations

import msgspec

from ctui.errors import NotFound
from ctui.tasks.asks.kinds.permission import Grantable, grantable
from ctui.tasks.database import Database
from ctui.tasks.model import Ask


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A remembered permission."""

    id: int
    repository: str
    """The main repository's `.git` folder; all its tasks have the grant."""
    tool: str
    content: str
    """The command."""
    task: str
    """Whose ask was answered with it."""
    created: int
    """Nanoseconds since the epoch."""

    @property
    def words(self) -> str:
        """As a person reads it: `Bash(npm test)`."""
        return f"{self.tool}({self.content})"


class GrantTable(Database):
    """Where grants are kept. Whoever revokes one may be any front end."""

    def add_grant(self, repository: str, what: Grantable, task: str, created: int) -> None:
        with self._translated():
            self._db.execute(
                "INSERT OR IGNORE INTO grants (repository, tool, content, task, created)"
                " VALUES (?, ?, ?, ?, ?)",
                (repository, what.tool, what.content, task, created),
            )

    def is_granted(self, repository: str, ask: Ask) -> bool:
        """Whether exactly this was allowed for good in that repository."""
        wanted = grantable(ask)
        return wanted is not None and any(
            (grant.tool, grant.content) == (wanted.tool, wanted.content)
            for grant in self.grants(repository)
        )

    def grants(self, repository: str | None = None) -> list[Grant]:
        """Those of a repository, or all; oldest first."""
        rows = self._rows(
            "SELECT * FROM grants WHERE ?1 IS NULL OR repository = ?1 ORDER BY id", repository
        )
        return [msgspec.convert(dict(row), Grant) for row in rows]

    def revoke_grant(self, grant_id: int) -> Grant:
        """Forget a grant: from now on it is asked again.

        Raises:
            NotFound: there is no such grant.
        """
        for grant in self.grants():
            if grant.id == grant_id:
                with self._translated():
                    self._db.execute("DELETE FROM grants WHERE id = ?", (grant_id,))
                return grant
        raise NotFound(f"there is no grant {grant_id}", hint="`ctui config grants` lists them")
