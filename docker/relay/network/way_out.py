"""The way out: a proxy for what knows of one, and names on loopback for what does not."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

from network.joining import Listener, join, listen, reach, say_last
from network.names import address_of, answer, question, wants_address

_NAMES = 256
"""Names that have an address at the same time: each costs a socket for every port."""
_HEAD = 1 << 14
"""Bytes of the gateway's answer."""
_NOT_THERE = "ctui: this task's gateway is not there; it is being started again"
_FIRST_SECONDS = 1.0
"""Seconds for a client to say something first, which most do at once."""
_REQUEST = re.compile(rb"[A-Z]{3,8} ")
_ALERT = b"\x15\x03\x03\x00\x02\x02\x31"
"""TLS: a fatal alert, access_denied (RFC 8446, 6)."""


def unavailable() -> bytes:
    """Return what a client of the proxy reads where no gateway is."""
    body = _NOT_THERE.encode() + b"\n"
    head = f"HTTP/1.1 503 {_NOT_THERE}\r\nRetry-After: 2\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Content-Type: text/plain\r\nConnection: close\r\n\r\n" + body


class Proxy:
    """The proxy's address: what comes goes to the gateway as it is."""

    def __init__(self, gateway: Path, address: tuple[str, int]) -> None:
        self._gateway = gateway
        self._listener = Listener(listen(*address), self._serve)

    def sockets(self) -> Iterator[socket.socket]:
        yield self._listener.socket

    async def _serve(self, connection: socket.socket) -> None:
        try:
            gateway = await reach(self._gateway)
        except OSError:
            await say_last(connection, unavailable())
            return
        with gateway:
            await join(connection, gateway)


class Service:
    """A service outside that has a socket of its own, at an address of its own."""

    def __init__(self, gateway: Path, address: tuple[str, int]) -> None:
        self._gateway = gateway
        self._listener = Listener(listen(*address), self._serve)

    def sockets(self) -> Iterator[socket.socket]:
        yield self._listener.socket

    async def _serve(self, connection: socket.socket) -> None:
        with await reach(self._gateway) as gateway:
            await join(connection, gateway)


class Names(asyncio.DatagramProtocol):
    """The resolver, and the listeners at the addresses that it gives."""

    def __init__(self, gateway: Path, ports: Callable[[], tuple[int, ...]]) -> None:
        """Lead to the gateway's socket, from each of these ports of each name that is asked for."""
        self._gateway = gateway
        self._ports = ports
        self._known: OrderedDict[str, _Name] = OrderedDict()
        self._given = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, address: tuple[str, int]) -> None:
        """Answer at this address.

        Raises:
            OSError: it is taken.
        """
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=address)

    def sockets(self) -> Iterator[socket.socket]:
        for one in self._known.values():
            for listener in one.listeners.values():
                yield listener.socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = question(data)
        if asked is None or self._transport is None:
            return
        given = socket.inet_aton(self._address(asked.name)) if wants_address(asked) else None
        self._transport.sendto(answer(asked, given), addr)

    def _address(self, name: str) -> str:
        """Return the address of a name, at which all ports answer from now on."""
        if name not in self._known:
            if len(self._known) >= _NAMES:
                _, oldest = self._known.popitem(last=False)
                for listener in oldest.listeners.values():
                    listener.close()
            self._known[name] = _Name(address_of(self._given), {})
            self._given += 1
        self._known.move_to_end(name)
        known = self._known[name]
        for port in self._ports():
            if port not in known.listeners:
                # A program of the task can have this port at every address.
                with contextlib.suppress(OSError):
                    there = listen(known.address, port)
                    way = _NamedWay(self._gateway, name, port)
                    known.listeners[port] = Listener(there, way)
        return known.address


class _Name(NamedTuple):
    address: str
    listeners: dict[int, Listener]


class _NamedWay:
    """The way to a port of a name, for whoever connects to its address."""

    def __init__(self, gateway: Path, name: str, port: int) -> None:
        self._gateway = gateway
        self._where = f"{name}:{port}"

    async def __call__(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            gateway = await reach(self._gateway)
        except OSError:
            await self._refuse(connection, unavailable())
            return
        with gateway:
            wanted = f"CONNECT {self._where} HTTP/1.1\r\nHost: {self._where}\r\n\r\n"
            await loop.sock_sendall(gateway, wanted.encode())
            said = b""
            while b"\r\n\r\n" not in said and len(said) < _HEAD:
                data = await loop.sock_recv(gateway, _HEAD)
                if not data:
                    break
                said += data
            head, _, rest = said.partition(b"\r\n\r\n")
            if head.split(b" ")[1:2] != [b"200"]:
                await self._refuse(connection, said)
                return
            await loop.sock_sendall(connection, rest)
            await join(connection, gateway)

    async def _refuse(self, connection: socket.socket, said: bytes) -> None:
        """Say why, in the protocol in which the client has begun to speak."""
        loop = asyncio.get_running_loop()
        begun = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_SECONDS):
                begun = await loop.sock_recv(connection, _HEAD)
        if begun[:1] == b"\x16":
            await say_last(connection, _ALERT)
        elif _REQUEST.match(begun):
            await say_last(connection, said)
        else:
            line = said.partition(b"\r\n")[0].split(b" ", 2)[2:]
            await say_last(connection, b"".join(line) + b"\r\n")
