"""Ctui's records of the worktrees that it made or adopted."""

from __future__ import annotations

from ctui.tasks.database.database import Database


class WorktreeTable:
    """Records by path; what is in them is the business of `ctui.worktrees`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, path: str, repository: str, record: bytes) -> None:
        """Insert or replace the record of a worktree."""
        self._database.execute(
            "INSERT INTO worktrees (path, repository, record) VALUES (?, ?, ?)"
            " ON CONFLICT (path) DO UPDATE SET repository = ?2, record = ?3",
            path,
            repository,
            record.decode(),
        )

    def of(self, repository: str) -> list[bytes]:
        """Return the records of a repository's worktrees."""
        rows = self._database.rows("SELECT record FROM worktrees WHERE repository = ?", repository)
        return [row["record"].encode("utf-8", "surrogateescape") for row in rows]

    def paths(self) -> set[str]:
        """Return the path of every worktree that has a record."""
        return {row["path"] for row in self._database.rows("SELECT path FROM worktrees")}

    def repositories(self) -> list[str]:
        """Return the `.git` folder of every repository that a task or a record names."""
        rows = self._database.rows(
            "SELECT repository FROM tasks UNION SELECT repository FROM worktrees"
        )
        return [row["repository"] for row in rows]

    def forget(self, path: str) -> None:
        self._database.execute("DELETE FROM worktrees WHERE path = ?", path)
