"""The books as the gateway keeps them: what is under way, what it cost, who asked for what."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from ctui.gateway.books import schema
from ctui.gateway.books.file import Estimate, book_the_killed, open_books
from ctui.gateway.books.rows import Ending, NewCall, RequestRow, Usage
from ctui.gateway.books.writer import LIMITS, Limits, Writer

_MOST_WAITING = 20_000
"""Writes that may wait; beyond it, attempts are not recorded one by one any more."""


class Books:
    """All that is written down. What a task spent is also known here, so that asking is quick."""

    def __init__(self, path: Path, connection: sqlite3.Connection, limits: Limits) -> None:
        self._writer = Writer(path, connection, limits)
        self._spent: dict[str, float] = {
            row["task"]: row["dollars"] for row in connection.execute("SELECT * FROM totals")
        }
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()
        self._last: int = last

    @classmethod
    async def open(cls, path: Path, estimate: Estimate, limits: Limits = LIMITS) -> Books:
        """Open the books, and end what a killed process left open.

        Raises:
            StoreUnavailable: they cannot be opened.
            Refused: a newer ctui made them.
        """
        return cls(path, await asyncio.to_thread(_prepared, path, estimate), limits)

    async def close(self) -> None:
        await self._writer.close()

    def spent(self, task: str) -> float:
        """Return the dollars that all ended calls of a task have cost."""
        return self._spent.get(task, 0.0)

    def next_id(self) -> int:
        """Return the id of a new call."""
        self._last += 1
        return self._last

    async def begin(self, call: NewCall) -> None:
        """Write down a call before it is sent.

        Raises:
            StoreUnavailable: it is not written down, so it must not be sent.
        """
        await self._writer.write([schema.begin(call)], ("calls", call.task))

    def progress(self, call: int, usage: Usage) -> None:
        """Note what the API says at the beginning of an answer, in case we do not see its end."""
        self._writer.put([schema.progress(call, usage)])

    def end(self, call: NewCall, ending: Ending) -> None:
        """Write down what became of a call."""
        self._spent[call.task] = self.spent(call.task) + ending.dollars
        self._writer.put(schema.end(call, ending))

    def record(self, row: RequestRow) -> bool:
        """Write down an attempt to reach something outside; False if they come too quickly."""
        if self._writer.waiting > _MOST_WAITING:
            return False
        self._writer.put([schema.request(row)], ("requests", row.task))
        return True


def _prepared(path: Path, estimate: Estimate) -> sqlite3.Connection:
    connection = open_books(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        book_the_killed(connection, estimate)
        connection.execute("COMMIT")
    except BaseException:  # whatever it was: nobody else would close it
        connection.close()
        raise
    return connection
