"""Pages of tasks for browsers on other machines: their connections go on to the gateway's gate.

The names of these pages are below a domain of the person's (`serve.ports_domain`). A connection
that asks for one is passed on as it is, to the port of this machine where the gateway looks at each
of its requests; it never gets to the API or the dashboard, whose names are others.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import NamedTuple

from ctui.config import Config

_PORTION = 1 << 16
_MOST = 256
"""Connections at the same time."""
_CONNECT_SECONDS = 5.0
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r\n]*?)[ \t]*\r\n", re.IGNORECASE)
_NOBODY = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"ctui: no task serves anything\n"
)


class PagesOfTasks:
    """The way to the gate, for the names below a domain."""

    def __init__(self, place: str, gate: int) -> None:
        """Lead there.

        Args:
            place: the domain, with its port where that is not TLS's own.
            gate: port of this machine where ports of tasks are shown.
        """
        self.place = place
        self._suffix = f".{place.partition(':')[0]}".encode()
        self._gate = gate
        self._ways: set[asyncio.Task[None]] = set()

    def means(self, head: bytes) -> bool:
        """Return True if the head of a request is for a page of a task."""
        named = _HOST.search(head)
        return named is not None and _name(named[1]).endswith(self._suffix)

    def take(self, transport: asyncio.Transport, begun: bytes) -> None:
        """Take a connection over, of which so much was read."""
        if len(self._ways) >= _MOST:
            transport.abort()
            return
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_PORTION, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        reader.feed_data(begun)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        way = loop.create_task(self._lead(_Streams(reader, writer)))
        self._ways.add(way)
        way.add_done_callback(self._ways.discard)

    def close(self) -> None:
        """Cut all connections."""
        for way in self._ways:
            way.cancel()

    async def _lead(self, browser: _Streams) -> None:
        with contextlib.closing(browser.writer), contextlib.suppress(OSError):
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    gate = _Streams(*await asyncio.open_connection("127.0.0.1", self._gate))
            except (OSError, TimeoutError):
                browser.writer.write(_NOBODY)
                return
            with contextlib.closing(gate.writer):
                ways = [
                    asyncio.create_task(_copy(*both)) for both in ((browser, gate), (gate, browser))
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)


def pages_of_tasks(config: Config) -> PagesOfTasks | None:
    """Return the way to pages of tasks; None where the person named no domain, or shows none."""
    place, gate = config.serve.ports_place, config.network.ports
    return PagesOfTasks(place, gate) if place and gate else None


class _Streams(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def _copy(source: _Streams, sink: _Streams) -> None:
    while data := await source.reader.read(_PORTION):
        sink.writer.write(data)
        await sink.writer.drain()


def _name(host: bytes) -> bytes:
    return host.lower().partition(b":")[0].removesuffix(b".")
