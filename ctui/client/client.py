"""The driver as a front end sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Self, TypeVar

import msgspec

from ctui import rpc
from ctui.client.connection import Connection, connect, driver_pid
from ctui.errors import Unavailable
from ctui.paths import Paths
from ctui.tasks import calls
from ctui.tasks.calls import Update
from ctui.tasks.journal.archive import FILE_NAME, Entry, read_entries

T = TypeVar("T")

_READ_SIZE = 1 << 18
_PATIENCE_SECONDS = 5.0
_RECONNECT_SECONDS = 0.2

_update = msgspec.json.Decoder(Update)


class Client:
    """Calls to the driver and streams from it. Each stream has a connection of its own."""

    def __init__(self, paths: Paths, environ: Mapping[str, str] | None = None) -> None:
        """Begin without a connection.

        Args:
            paths: whose driver.
            environ: of a driver that has to be started; this process's own by default.
        """
        self.paths = paths
        self._environ = environ
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the driver."""
        if self._connection is not None:
            self._connection.close()

    async def connect(self) -> None:
        """Make sure that a driver answers, before anything is made that would need one."""
        async with self._turn:
            if self._connection is None:
                self._connection = await connect(self.paths, self._environ)

    async def call(self, call: calls.Call[T]) -> T:
        """Make one call; see `tasks.calls` for what there is.

        Raises:
            CtuiError: what the driver answered, or why there is none.
        """
        async with self._turn:
            if self._connection is not None and self._connection.broken:
                self._connection.close()
                self._connection = None
            if self._connection is None:
                self._connection = await connect(self.paths, self._environ)
            try:
                return await self._answered(self._connection, call)
            except Unavailable:
                self._connection.close()
                self._connection = None
                raise

    async def _answered(self, connection: Connection, call: calls.Call[T]) -> T:
        """Wait for the reply for as long as the driver says hello to others meanwhile."""
        job = asyncio.create_task(connection.call(call))
        try:
            while not (await asyncio.wait({job}, timeout=_PATIENCE_SECONDS))[0]:
                await driver_pid(self.paths)
            return job.result()
        finally:
            job.cancel()

    async def watch(self, task: str = "") -> AsyncGenerator[Update]:
        """Yield tasks and asks as they are now, then every change; also across a driver's death."""
        while True:
            connection = await connect(self.paths, self._environ)
            try:
                await connection.call(calls.Watch(task))
                while line := await rpc.read_line(connection.reader):
                    yield _update.decode(line)
            except (OSError, Unavailable):
                await asyncio.sleep(_RECONNECT_SECONDS)
            finally:
                connection.close()

    async def follow(self, task: str, start: int = 0) -> AsyncGenerator[list[Entry]]:
        """Yield the task's journal from a byte offset of its archive, then live.

        It goes on across a driver's death; parts of an open block may come again then.

        Raises:
            NotFound: there is no such task.
        """
        tail = _Tail(self.paths, task, start)
        while True:
            connection = await connect(self.paths, self._environ)
            try:
                followed = await connection.call(calls.Follow(task))
                for batch in tail.read_to(followed.offset):
                    yield batch
                while data := await connection.reader.read(_READ_SIZE):
                    for batch in tail.take(data):
                        yield batch
            except (OSError, Unavailable):
                await asyncio.sleep(_RECONNECT_SECONDS)
            finally:
                connection.close()
                tail.forget_rest()


class _Tail:
    """Position of a follower, and decoder of its frames into entries."""

    def __init__(self, paths: Paths, task: str, start: int) -> None:
        self._path = paths.task(task) / FILE_NAME
        self._offset = start
        self._rest = b""
        self._decode = msgspec.json.Decoder(Entry).decode

    def read_to(self, end: int) -> Iterator[list[Entry]]:
        """Yield entries from the disk, from the position to `end`."""
        batch: list[Entry] = []
        for entry in read_entries(self._path, self._offset, end):
            batch.append(entry)
            if len(batch) == 512:
                yield batch
                batch = []
        if batch:
            yield batch
        self._offset = max(self._offset, end)

    def take(self, data: bytes) -> Iterator[list[Entry]]:
        """Yield entries of the frames that are complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        batch: list[Entry] = []
        for line in lines:
            kind = line[:1]
            if kind == rpc.Frame.SKIP:
                if batch:
                    yield batch
                    batch = []
                yield from self.read_to(int(line[1:]))
                continue
            if kind == rpc.Frame.ARCHIVED:
                self._offset += len(line)
            batch.append(self._decode(line[1:]))
        if batch:
            yield batch

    def forget_rest(self) -> None:
        self._rest = b""
