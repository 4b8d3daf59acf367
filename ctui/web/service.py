"""Services that all requests share: the driver, the default repository, the live streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress

from ctui.git.repository.repository import Repository
from ctui.paths import Paths
from ctui.web.driver_access import DriverAccess
from ctui.web.feeds import Feeds


class Service(DriverAccess):
    """Services of all requests, used from one event loop."""

    def __init__(
        self, paths: Paths, repository: Repository, environ: Mapping[str, str] | None = None
    ) -> None:
        """Prepare a service that has opened and started nothing yet.

        Args:
            paths: whose tasks.
            repository: where tasks work that name no other.
            environ: of a driver that has to be started; this process's own by default.
        """
        super().__init__(paths, environ)
        self.repository = repository
        self.feeds = Feeds(self)
        self.streams = 0
        """Open ones."""

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Count a stream while it is open."""
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

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
