"""Sockets of the gateway: listening ones, and accepting without ever being brought to a stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from ctui.errors import Unavailable
from ctui.gateway.mistakes import MISTAKES

_LONGEST = 100
"""Bytes of a socket's path; a longer one is bound by its folder's descriptor (unix(7))."""
_BACKLOG = 512
_REQUEST = 1 << 16
_PAUSE = 0.2
"""Seconds until the next try where no descriptor was left for a connection."""


def listen_unix(path: Path, mode: int = 0o666) -> socket.socket:
    """Return a listening socket at `path`, in whose place nothing is left that was there.

    The folder decides who gets there: it lies in one that only the person can enter, and is
    mounted where a task of another uid may connect.

    Raises:
        Unavailable: it cannot be made there.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        if len(os.fsencode(path)) <= _LONGEST:
            listener.bind(str(path))
        else:
            folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
            try:
                listener.bind(f"/proc/self/fd/{folder}/{path.name}")
            finally:
                os.close(folder)
        path.chmod(mode)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"the socket {path} cannot be made: {error.strerror}",
            hint="make its folder writable, or name another with CTUI_RUNTIME_DIR",
        ) from error
    return listener


def listen_local(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Return a listening socket on this machine; port 0 takes any that is free.

    Raises:
        Unavailable: another program has the port.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setblocking(False)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"port {port} of {host} cannot be used: {error.strerror}",
            hint="end the program that has it, or name another port",
        ) from error
    return listener


class Acceptor:
    """A listening socket, and a task for each connection that comes.

    Beyond `limit` connections the next ones get `full` and are closed: whoever opens too many is
    told so, and costs nobody else a descriptor.
    """

    def __init__(
        self,
        listener: socket.socket,
        serve: Callable[[socket.socket], Awaitable[None]],
        *,
        limit: int,
        full: bytes = b"",
    ) -> None:
        self._listener = listener
        self._serve = serve
        self._limit = limit
        self._full = full
        self._connections: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.ensure_future(self._accept())

    @property
    def open(self) -> int:
        """Number of connections."""
        return len(self._connections)

    async def close(self) -> None:
        """Accept nothing more, and end every connection."""
        self._accepting.cancel()
        tasks = [self._accepting, *self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(_PAUSE)
                continue
            connection.setblocking(False)
            if len(self._connections) >= self._limit:
                self._turn_away(connection)
                continue
            task = asyncio.ensure_future(self._one(connection))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    def _turn_away(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.send(self._full)
            connection.recv(_REQUEST)  # what is left unread would take the answer away

    async def _one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            try:
                await self._serve(connection)
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - what one connection met is no other's
                MISTAKES.tell(error)
