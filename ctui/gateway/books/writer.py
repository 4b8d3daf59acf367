"""Writer of the books: a thread that commits whatever has come in together."""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ctui.errors import CtuiError, StoreUnavailable
from ctui.gateway.books import file as books_file
from ctui.gateway.books.schema import Statement, prune

log = logging.getLogger(__name__)

_MOST_TOGETHER = 500
_RETRY_SECONDS = 1.0
_PRUNE_EVERY = 200
"""Rows of a task in a table after which its oldest ones are dropped."""
_MOST_KEPT = 50_000
"""Statements that wait for a disk that cannot be written; the oldest are lost beyond."""


class Limits(NamedTuple):
    """Rows that are kept of each table."""

    of_task: int = 5_000
    in_all: int = 100_000


LIMITS = Limits()


class _Write(NamedTuple):
    statements: Sequence[Statement]
    done: asyncio.Future[None] | None
    counted: tuple[str, str] | None
    """Table and task of a new row."""


class Writer:
    """Owner of the file's one writing connection. Its methods belong to the event loop."""

    def __init__(self, path: Path, connection: sqlite3.Connection, limits: Limits) -> None:
        self._path = path
        self._books = connection
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._kept: list[_Write] = []
        self._rows: dict[tuple[str, str], int] = {}
        self._failing = False
        self._thread = threading.Thread(target=self._work, name="books", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of writes that are not on the disk yet."""
        return self._queue.qsize()

    def put(self, statements: Sequence[Statement], counted: tuple[str, str] | None = None) -> None:
        """Write as soon as it can be done; where the disk is full, later."""
        self._queue.put(_Write(statements, None, counted))

    async def write(self, statements: Sequence[Statement], counted: tuple[str, str]) -> None:
        """Write, and return when it is committed.

        Raises:
            StoreUnavailable: it was not.
        """
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(_Write(statements, done, counted))
        await done

    async def close(self) -> None:
        """Write what is left, and close the file."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._next()
            if batch or self._kept:
                self._commit(batch)
        self._books.close()

    def _next(self) -> tuple[list[_Write], bool]:
        """Return what has come in by now, and False at the end."""
        batch: list[_Write] = []
        try:
            one = self._queue.get(timeout=_RETRY_SECONDS if self._kept else None)
            while one is not None:
                batch.append(one)
                if len(batch) >= _MOST_TOGETHER:
                    break
                one = self._queue.get_nowait()
            else:
                return batch, False
        except queue.Empty:
            pass
        return batch, True

    def _commit(self, batch: list[_Write]) -> None:
        try:
            try:
                self._transaction([*self._kept, *batch])
            except sqlite3.Error as error:
                if not books_file.is_damage(error):
                    raise
                self._begin_anew()
                self._transaction([*self._kept, *batch])
        except (sqlite3.Error, OSError, CtuiError) as error:
            self._failed(batch, error)
            return
        if self._failing:
            log.info("%s can be written again", self._path)
        self._failing = False
        self._kept.clear()
        for write in batch:
            if write.done is not None:
                self._tell(write.done, None)

    def _transaction(self, writes: Sequence[_Write]) -> None:
        rows = dict(self._rows)
        self._books.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                for statement, values in write.statements:
                    self._books.execute(statement, values)
                if write.counted is not None:
                    rows[write.counted] = rows.get(write.counted, 0) + 1
            for counted in [key for key, number in rows.items() if number >= _PRUNE_EVERY]:
                del rows[counted]
                for statement, values in prune(*counted, *self._limits):
                    self._books.execute(statement, values)
            self._books.execute("COMMIT")
        except BaseException:  # whatever it was: an open transaction locks everything
            if self._books.in_transaction:
                self._books.execute("ROLLBACK")
            raise
        self._rows = rows

    def _begin_anew(self) -> None:
        self._books.close()
        books_file.set_aside(self._path)
        self._books = books_file.open_books(self._path)

    def _failed(self, batch: list[_Write], error: Exception) -> None:
        """Keep what nobody waits for, and tell the others."""
        if not self._failing:
            log.error("%s cannot be written: %s", self._path, error)
        self._failing = True
        for write in batch:
            if write.done is None:
                self._kept.append(write)
            else:
                self._tell(write.done, books_file.unavailable(self._path, error))
        del self._kept[:-_MOST_KEPT]

    def _tell(self, done: asyncio.Future[None], problem: StoreUnavailable | None) -> None:
        def tell() -> None:
            if done.done():
                return
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)

        self._loop.call_soon_threadsafe(tell)
