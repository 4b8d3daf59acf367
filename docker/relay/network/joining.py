"""Connections that are joined: what one says goes to the other."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

_PORTION = 1 << 18
_BUFFER = memoryview(bytearray(_PORTION))
"""Of all connections: between reading and writing a portion nothing else runs."""
_ROUNDS = 16
"""Portions of one connection before the others are looked at."""
_CONNECTIONS = 512
"""At the same time; the next ones wait in the kernel."""
_TRIES = 20
_PAUSE = 0.25
"""Seconds between two tries: a gateway that is started again makes its sockets anew."""
_FULL_PAUSE = 0.01
"""Seconds between two tries where many others wait."""
_LINGER_SECONDS = 2.0

Serve = Callable[[socket.socket], Awaitable[None]]


async def reach(path: Path, tries: int = _TRIES) -> socket.socket:
    """Return a connection to a socket of the gateway.

    Raises:
        OSError: it is not there, after some seconds.
    """
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        try:
            # At once or not at all: the loop would take a queue that is full for a connection.
            connection.connect(str(path))
        except BlockingIOError:
            connection.close()
            await asyncio.sleep(_FULL_PAUSE)
        except OSError:
            connection.close()
            tries -= 1
            if tries <= 0:
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return connection


async def join(first: socket.socket, second: socket.socket) -> None:
    """Pass on both ways until both have ended, and close neither."""
    ways = [asyncio.ensure_future(_one_way(first, second))]
    ways.append(asyncio.ensure_future(_one_way(second, first)))
    try:
        await asyncio.gather(*ways)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _one_way(source: socket.socket, sink: socket.socket) -> None:
    """Pass on until the source ends, or the sink takes nothing more."""
    loop = asyncio.get_running_loop()
    rounds = 0
    with contextlib.suppress(OSError):
        while True:
            try:
                size = source.recv_into(_BUFFER)
            except BlockingIOError:
                await _readable(source)
                continue
            if not size:
                break
            try:
                sent = sink.send(_BUFFER[:size])
            except BlockingIOError:
                sent = 0
            if sent < size:
                await loop.sock_sendall(sink, bytes(_BUFFER[sent:size]))
            rounds += 1
            if not rounds % _ROUNDS:
                await asyncio.sleep(0)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


async def _readable(source: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(source, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(source)


async def say_last(connection: socket.socket, data: bytes) -> None:
    """Say something and let the other side close: what it still says would take that away."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, TimeoutError):
        await loop.sock_sendall(connection, data)
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_LINGER_SECONDS):
            while await loop.sock_recv(connection, _PORTION):
                pass


def listen(address: str, port: int) -> socket.socket:
    """Return a listening socket on loopback.

    Raises:
        OSError: the address is taken.
    """
    listener = socket.socket(socket.AF_INET)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_CONNECTIONS)
    except OSError:
        listener.close()
        raise
    return listener


class Listener:
    """A listening socket, and what is done with each connection."""

    _room: asyncio.Semaphore | None = None

    def __init__(self, listener: socket.socket, serve: Serve) -> None:
        self.socket = listener
        self._serve = serve
        self._connections: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.ensure_future(self._accept())

    def close(self) -> None:
        """Accept nothing more; what is open goes on."""
        self._accepting.cancel()
        self.socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        room = Listener._room = Listener._room or asyncio.Semaphore(_CONNECTIONS)
        while True:
            await room.acquire()
            try:
                connection, _ = await loop.sock_accept(self.socket)
            except BaseException as error:
                room.release()
                if not isinstance(error, OSError):
                    raise
                await asyncio.sleep(_PAUSE)
                continue
            connection.setblocking(False)
            task = asyncio.ensure_future(self._one(connection, room))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _one(self, connection: socket.socket, room: asyncio.Semaphore) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                await self._serve(connection)
        finally:
            room.release()
