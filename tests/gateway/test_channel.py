"""Ends of a connection inside of TLS."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from ctui.gateway.channel import TlsChannel
from tests.gateway.egress.outside import certificates

_SIZE = 1 << 22


async def test_an_end_is_said_as_soon_as_it_is_taken(tmp_path: Path) -> None:
    """Behind as much as the kernel keeps: the other side gets all of that, and then the end."""
    tls = certificates(tmp_path, "localhost")
    here, there = socket.socketpair()
    for one in (here, there):
        one.setblocking(False)
    with here, there:
        client = TlsChannel(here, tls.client, server="localhost")
        server = TlsChannel(there, tls.server)
        async with asyncio.timeout(30):
            await asyncio.gather(client.handshake(), server.handshake())
            sending = asyncio.ensure_future(client.sendall(bytes(_SIZE)))
            await asyncio.sleep(0)
            ending = asyncio.ensure_future(client.shutdown())
            await asyncio.sleep(0)
            assert not sending.done()
            assert not ending.done()
            taken = 0
            while data := await server.recv():
                taken += len(data)
            await asyncio.gather(sending, ending)
        assert taken == _SIZE
