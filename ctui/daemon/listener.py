"""The driver's socket, which may be taken away: a logout wipes /run/user, and cleaners /tmp."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from ctui import rpc
from ctui.errors import CtuiError, Unavailable
from ctui.paths import private_folder

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """A unix socket that is made anew when it is gone, and of which only our own is removed."""

    def __init__(self, path: Path, serve: Serve) -> None:
        self._path = path
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._ours: tuple[int, int] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen, and go on listening.

        Raises:
            Unavailable: the socket cannot be made.
            Refused: its folder belongs to somebody else, or is a link.
        """
        await self._listen()
        self._watch = asyncio.create_task(self._keep(), name="driver's socket")

    def close(self) -> None:
        """Stop listening; a socket that another driver made meanwhile stays."""
        if self._watch is not None:
            self._watch.cancel()
        if self._server is not None:
            self._server.close()
        if self._identity() == self._ours:
            self._path.unlink(missing_ok=True)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._identity() == self._ours:
                continue
            log.warning("the socket %s was taken away: it is made anew", self._path)
            try:
                await self._listen()
            except (OSError, CtuiError) as error:
                log.warning("the socket %s cannot be made: %s", self._path, error)

    async def _listen(self) -> None:
        private_folder(self._path.parent)
        try:
            # Only the holder of the lock gets here, so whatever is there is a dead driver's.
            self._path.unlink(missing_ok=True)
            server = await asyncio.start_unix_server(
                self._serve, path=self._path, limit=rpc.MAX_LINE
            )
        except OSError as error:
            raise Unavailable(
                f"{self._path} is in the way: {error.strerror}", hint="remove it"
            ) from error
        self._path.chmod(0o600)
        if self._server is not None:
            self._server.close()
        self._server, self._ours = server, self._identity()

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.lstat()
        except OSError:
            return None
        return status.st_dev, status.st_ino
