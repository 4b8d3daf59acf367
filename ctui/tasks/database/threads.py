"""Threads of comments on worktrees. Front ends write comments, and the driver a task's answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from ctui.errors import NotFound, Refused
from ctui.tasks.database.database import Database
from ctui.tasks.threads import MOST_REMARKS, Remark, Side, Thread


class ThreadTable:
    """Threads by worktree.

    A worktree can get a folder that another one had: its threads are those that are younger.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(
        self,
        worktree: str,
        path: str,
        side: Side,
        first: int,
        quote: Iterable[str],
        commit: str,
        created: int,
    ) -> int:
        """Begin a thread without words, and return its number."""
        with self._database.transaction():
            cursor = self._database.execute(
                "INSERT INTO threads (worktree, path, side, first, quote, commit_id, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(worktree, path, side, first),
                msgspec.json.encode(list(quote)).decode(),
                *(commit, created),
            )
        return int(cursor.lastrowid or 0)

    def comment(self, thread: int, text: str, created: int) -> None:
        """Add a person's words to a thread, which is open again with them.

        Raises:
            NotFound: there is no such thread.
            Refused: there is too much in it.
        """
        with self._database.transaction():
            self._add(thread, "person", "", text, created)
            self._database.execute("UPDATE threads SET resolved = NULL WHERE id = ?", thread)

    def answer(self, thread: int, worktree: str, task: str, text: str, created: int) -> None:
        """Add a task's words to a thread of its own worktree.

        Raises:
            NotFound: its worktree has no such thread, or none that a task was told of.
            Refused: there is too much in it.
        """
        row = self._database.row(
            "SELECT 1 FROM threads JOIN remarks ON thread = threads.id"
            " WHERE threads.id = ? AND worktree = ? AND sent IS NOT NULL LIMIT 1",
            *(thread, worktree),
        )
        if row is None:
            raise NotFound(f"there is no comment {thread} on this worktree")
        self._add(thread, "task", task, text, created)

    def of(self, worktree: str, since: int = 0) -> list[Thread]:
        """Return the threads of a worktree that are not older than it, in the order of creation."""
        rows = self._database.rows(
            "SELECT * FROM threads WHERE worktree = ? AND created >= ? ORDER BY id",
            *(worktree, since),
        )
        remarks: dict[int, list[sqlite3.Row]] = {}
        for row in self._database.rows(
            "SELECT remarks.* FROM remarks JOIN threads ON thread = threads.id"
            " WHERE worktree = ? AND threads.created >= ? ORDER BY remarks.id",
            *(worktree, since),
        ):
            remarks.setdefault(row["thread"], []).append(row)

        def read(row: sqlite3.Row) -> Thread:
            said = self._database.readable(
                "remarks", remarks.get(row["id"], ()), "{id}", read_remark
            )
            return msgspec.structs.replace(read_thread(row), remarks=tuple(said))

        return self._database.readable("threads", rows, "{id}", read)

    def mark_sent(self, remarks: Collection[int], task: str, when: int) -> None:
        """Note that a task was told this."""
        with self._database.transaction():
            for remark in remarks:
                self._database.execute(
                    "UPDATE remarks SET sent = ?, task = ? WHERE id = ? AND sent IS NULL",
                    *(when, task, remark),
                )

    def resolve(self, thread: int, when: int | None) -> None:
        """Close a thread, or open it again."""
        self._database.execute("UPDATE threads SET resolved = ? WHERE id = ?", when, thread)

    def withdraw(self, thread: int) -> None:
        """Delete what no task was told, and a thread that has nothing else."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM remarks WHERE thread = ? AND author = 'person' AND sent IS NULL",
                thread,
            )
            self._database.execute(
                "DELETE FROM threads WHERE id = ?1"
                " AND NOT EXISTS (SELECT 1 FROM remarks WHERE thread = ?1)",
                thread,
            )

    def _add(self, thread: int, author: str, task: str, text: str, created: int) -> None:
        row = self._database.row(
            "SELECT (SELECT count(*) FROM remarks WHERE thread = threads.id) AS said"
            " FROM threads WHERE id = ?",
            thread,
        )
        if row is None:
            raise NotFound(f"there is no comment {thread}")
        if row["said"] >= MOST_REMARKS:
            raise Refused(f"comment {thread} has {row['said']} remarks", hint="begin another one")
        self._database.execute(
            "INSERT INTO remarks (thread, author, task, text, created) VALUES (?, ?, ?, ?, ?)",
            *(thread, author, task, text, created),
        )


def read_thread(row: Mapping[str, Any] | sqlite3.Row) -> Thread:
    """Return what a row says, without remarks; whatever is raised means that it cannot be read."""
    facts = dict(row)
    quote = msgspec.json.decode(facts.pop("quote"), type=tuple[str, ...])
    return msgspec.convert({**facts, "commit": facts.pop("commit_id"), "quote": quote}, Thread)


def read_remark(row: Mapping[str, Any] | sqlite3.Row) -> Remark:
    """Return what a row says; whatever is raised means that it cannot be read."""
    return msgspec.convert(dict(row), Remark)
