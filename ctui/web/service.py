"""What all requests share: folders, the store, the default repository, the live streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from ctui.client import Client
from ctui.git.repository import Repository
from ctui.paths import Paths, private_folder
from ctui.tasks.calls import Call
from ctui.tasks.journal import FILE_NAME
from ctui.tasks.store import Store
from ctui.web.feeds import Feeds

T = TypeVar("T")


class Service:
    """Used from one event loop."""

    def __init__(
        self, paths: Paths, repository: Repository, environ: Mapping[str, str] | None = None
    ) -> None:
        """Nothing is opened or started yet.

        Args:
            paths: whose tasks.
            repository: where tasks work that name no other.
            environ: of a driver that has to be started; this process's own by default.
        """
        self.paths = paths
        self.repository = repository
        self.environ = environ
        self.feeds = Feeds(self)
        self._turn = asyncio.Lock()
        self.streams = 0
        """Open ones."""

    @cached_property
    def store(self) -> Store:
        """The index of tasks. Its reads take less time than a change of threads."""
        private_folder(self.paths.state)
        return Store(self.paths.database)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connection to the driver for one request: no call waits for another's.

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

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count a stream while it is open."""
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    def archive(self, task: str) -> Path:
        """The journal of a task that is in the store."""
        return self.paths.task(task) / FILE_NAME

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow what happens to all tasks, which also keeps a driver there for them."""
        job = asyncio.create_task(self.feeds.watch())
        try:
            yield
        finally:
            self.feeds.close()
            job.cancel()
            with suppress(asyncio.CancelledError):
                await job
            await self.feeds.ended()
            if "store" in self.__dict__:
                self.store.close()
