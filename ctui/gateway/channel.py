"""Bytes to and from one other side, as they are or inside of TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import Protocol

PORTION = 1 << 16


class Channel(Protocol):
    """One end of a connection."""

    async def recv(self) -> bytes:
        """Return what came; nothing where the other side says no more.

        Raises:
            OSError: the connection broke.
        """

    async def sendall(self, data: bytes) -> None:
        """Say it, and return when the kernel has taken all of it."""

    async def ends(self) -> bool:
        """Return True when the other side closes, False when it says something before."""

    async def shutdown(self) -> None:
        """Say nothing more."""


class PlainChannel:
    """A connection whose bytes are what is said."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._loop = asyncio.get_running_loop()

    async def recv(self) -> bytes:
        return await self._loop.sock_recv(self._socket, PORTION)

    async def sendall(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._socket, data)

    async def ends(self) -> bool:
        await readable(self._socket)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    async def shutdown(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)


class TlsChannel:
    """A connection inside of TLS, which `handshake` begins."""

    def __init__(
        self,
        connection: socket.socket,
        context: ssl.SSLContext,
        *,
        server: str = "",
        early: bytes = b"",
    ) -> None:
        """Prepare one end.

        Args:
            connection: that carries it.
            context: whom this end trusts, and what it is.
            server: name of the other end, where that is the server.
            early: what was read of the connection already.
        """
        self._socket = connection
        self._loop = asyncio.get_running_loop()
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._coming, self._going, server_side=not server, server_hostname=server or None
        )
        self._coming.write(early)
        self._held = b""
        self._writing = asyncio.Lock()

    async def handshake(self) -> None:
        """Do it.

        Raises:
            OSError: the other side does not agree, or is not who it should be.
        """
        try:
            while not self._try_handshake():
                await self._flush()
                await self._fill()
        finally:  # what went wrong is said there, too
            await self._flush()

    async def recv(self) -> bytes:
        if self._held:
            held, self._held = self._held, b""
            return held
        while (data := self._read()) is None:
            await self._flush()
            await self._fill()
        return data

    async def sendall(self, data: bytes) -> None:
        self._tls.write(data)
        await self._flush()

    async def ends(self) -> bool:
        while not self._held:
            try:
                data = self._read()
                if data is None:
                    await self._fill()
                    continue
            except OSError:
                return True
            if not data:
                return True
            self._held = data
        return False

    async def shutdown(self) -> None:
        """Tell the other side that this is the end; what it still says can be read."""
        with contextlib.suppress(ssl.SSLError):  # the other side has not ended yet
            self._tls.unwrap()
        await self._flush()
        self._socket.shutdown(socket.SHUT_WR)

    def _try_handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _read(self) -> bytes | None:
        """Return what was said, nothing at the end, and None where more has to come first."""
        said = bytearray()
        try:
            while len(said) < PORTION and (record := self._tls.read(PORTION)):
                said += record
        except ssl.SSLWantReadError:
            return bytes(said) or None
        except ssl.SSLZeroReturnError:
            pass
        except ssl.SSLError:
            if not said:  # what was said before counts; the next one is told of it
                raise
        return bytes(said)

    async def _fill(self) -> None:
        """Take what comes next; whoever is cancelled meanwhile has taken nothing."""
        await readable(self._socket)
        try:
            data = self._socket.recv(PORTION)
        except BlockingIOError:
            return
        if data:
            self._coming.write(data)
        else:
            self._coming.write_eof()

    async def _flush(self) -> None:
        async with self._writing:  # in the order in which it was encrypted
            if data := self._going.read():
                await self._loop.sock_sendall(self._socket, data)


async def readable(connection: socket.socket) -> None:
    """Return when something can be read of a socket, if only its end."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(connection)


async def join(first: Channel, second: Channel, *, idle: float) -> tuple[int, int]:
    """Pass on both ways until both have ended or nothing was said for too long; count the bytes.

    Raises:
        OSError: one of them broke.
        TimeoutError: nobody said anything for `idle` seconds.
    """
    loop = asyncio.get_running_loop()
    counts = [0, 0]
    async with asyncio.timeout(idle) as patience:

        async def one_way(source: Channel, sink: Channel, way: int) -> None:
            while data := await source.recv():
                patience.reschedule(loop.time() + idle)
                await sink.sendall(data)
                counts[way] += len(data)
                await asyncio.sleep(0)
            await sink.shutdown()

        ways = [
            asyncio.ensure_future(one_way(first, second, 0)),
            asyncio.ensure_future(one_way(second, first, 1)),
        ]
        try:
            await asyncio.gather(*ways)
        finally:
            for one in ways:
                one.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
    return counts[0], counts[1]
