"""Hosts outside, on this machine: servers as there are many, which the test names as private."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import trustme

from ctui.gateway.egress.policy import Attempt, Policy, PrivateHost, Record
from ctui.gateway.egress.proxy import EgressServer

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"


class Certificates(NamedTuple):
    """An authority, and contexts of a server and of a client that trusts it."""

    bundle: Path
    chain: Path
    """The server's key and certificate."""
    server: ssl.SSLContext
    client: ssl.SSLContext


def certificates(folder: Path, *names: str) -> Certificates:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert(*names)
    issued.configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    bundle, chain = folder / "authority.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(bundle)
    issued.private_key_and_cert_chain_pem.write_to_path(chain)
    return Certificates(bundle, chain, server, client)


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve at a port of this machine that is free."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Pages:
    """A server of one page, that remembers the heads of the requests."""

    def __init__(self, answer: bytes = PAGE) -> None:
        self.heads: list[str] = []
        self.answer = answer

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
        writer.write(self.answer)
        await writer.drain()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


class Way:
    """The way out of one run, and all that it told and asked."""

    server: EgressServer

    def __init__(self, path: Path, policy: Policy) -> None:
        self.path = path
        self.policy = policy
        self.answer: Callable[[Attempt], Awaitable[bool]] | None = None
        self.allowed = False
        self.asked: list[Attempt] = []
        self.records: list[Record] = []
        self._told = asyncio.Event()

    async def ask(self, attempt: Attempt) -> bool:
        self.asked.append(attempt)
        return await self.answer(attempt) if self.answer else self.allowed

    def record(self, record: Record) -> None:
        self.records.append(record)
        self._told.set()

    async def over(self, count: int = 1) -> list[Record]:
        """Wait for the ends of so many attempts, and return these."""
        while len(ended := [one for one in self.records if one.over]) < count:
            self._told.clear()
            await self._told.wait()
        return ended

    async def open(self) -> Streams:
        return await asyncio.open_unix_connection(str(self.path))

    async def say(self, data: bytes) -> bytes:
        """Say something, and return all that comes back."""
        reader, writer = await self.open()
        writer.write(data)
        try:
            return await reader.read()
        finally:
            writer.close()

    async def connect(self, where: str) -> tuple[bytes, Streams]:
        """Return the head of the answer to a CONNECT, and the connection."""
        reader, writer = await self.open()
        writer.write(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
        return await reader.readuntil(b"\r\n\r\n"), (reader, writer)


@asynccontextmanager
async def way_out(folder: Path, policy: Policy, **options: object) -> AsyncIterator[Way]:
    """Serve the way out of a run."""
    way = Way(folder / "egress.sock", policy)
    way.server = EgressServer(way.path, lambda: way.policy, way.ask, way.record, **options)  # type: ignore[arg-type]
    await way.server.start()
    try:
        yield way
    finally:
        await way.server.close()


def private(*ports: int, host: str = "localhost", **more: object) -> Policy:
    """Return a policy whose person named these ports of this machine."""
    hosts = tuple(PrivateHost(host, port) for port in ports)
    return Policy(private=hosts, **more)  # type: ignore[arg-type]
