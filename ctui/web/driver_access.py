"""The way to tasks: the store on the disk, and connections to the driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from ctui.client.client import Client
from ctui.paths import Paths, private_folder
from ctui.tasks.calls import Call
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.store import Store

T = TypeVar("T")


class DriverAccess:
    """The store and connections of one process; used from one event loop."""

    def __init__(self, paths: Paths, environ: Mapping[str, str] | None = None) -> None:
        """Prepare access without opening or starting anything yet.

        Args:
            paths: whose tasks.
            environ: of a driver that has to be started; this process's own by default.
        """
        self.paths = paths
        self.environ = environ
        self._turn = asyncio.Lock()

    @cached_property
    def store(self) -> Store:
        """Return the index of tasks. Its reads take less time than a change of threads."""
        private_folder(self.paths.state)
        return Store(self.paths.database)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Connect to the driver for one request: no call waits for another's.

        Raises:
            Unavailable: no driver can be started; says why.
        """
        async with Client(self.paths, self.environ) as client:
            # Of two that start a driver at once, only one would hear why it does not start.
            async with self._turn:
                await client.connect()
            yield client

    async def call(self, call: Call[T]) -> T:
        async with self.client() as client:
            return await client.call(call)

    def archive(self, task: str) -> Path:
        """Return the path of the journal of a task that is in the store."""
        return self.paths.task(task) / FILE_NAME
