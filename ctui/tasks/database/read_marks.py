"""Files of worktrees that the person has read, by their content, and what they looked at last."""

from __future__ import annotations

from ctui.tasks.database.database import Database


class ReadMarkTable:
    """Marks by worktree and path: with another content a file is unread again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, worktree: str, path: str, content: str, created: int) -> None:
        """Mark a file with this content (a blob's id) as read."""
        self._database.execute(
            "INSERT OR REPLACE INTO read_marks (worktree, path, content, created)"
            " VALUES (?, ?, ?, ?)",
            *(worktree, path, content, created),
        )

    def forget(self, worktree: str, path: str, content: str) -> None:
        self._database.execute(
            "DELETE FROM read_marks WHERE worktree = ? AND path = ? AND content = ?",
            *(worktree, path, content),
        )

    def of(self, worktree: str) -> set[tuple[str, str]]:
        """Return the path and the content of each file that was read."""
        rows = self._database.rows(
            "SELECT path, content FROM read_marks WHERE worktree = ?", worktree
        )
        return {(row["path"], row["content"]) for row in rows}

    def set_looked(self, worktree: str, tree: str, created: int) -> None:
        """Keep the tree that a worktree had when the person looked at it."""
        self._database.execute(
            "INSERT OR REPLACE INTO looks (worktree, tree, created) VALUES (?, ?, ?)",
            *(worktree, tree, created),
        )

    def looked(self, worktree: str, since: int = 0) -> str:
        """Return that tree, or "" where nobody has looked since the worktree was made."""
        row = self._database.row(
            "SELECT tree FROM looks WHERE worktree = ? AND created >= ?", worktree, since
        )
        return str(row["tree"]) if row is not None else ""
