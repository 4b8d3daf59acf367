"""Accepting, whatever a connection does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from pathlib import Path

import pytest

from ctui.gateway.sockets import Acceptor, listen_unix


async def test_a_mistake_ends_one_connection_and_fills_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However often somebody finds the way to it: it is logged once, without its words."""

    async def serve(_connection: socket.socket) -> None:
        raise LookupError("a secret")

    acceptor = Acceptor(listen_unix(tmp_path / "a.sock"), serve, limit=8)
    for _ in range(20):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "a.sock")
        assert await reader.read() == b""
        writer.close()
    await acceptor.close()
    [line] = caplog.messages
    assert "LookupError at " in line
    assert "secret" not in line


_FLOOD = """
import os, socket, sys, time
end = time.monotonic() + 2
for _ in range(3):
    os.fork()
while time.monotonic() < end:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(sys.argv[1])
"""


async def test_a_queue_that_never_empties_stops_nobody(tmp_path: Path) -> None:
    """Eight processes connect as quickly as they can; everything else goes on meanwhile."""

    async def serve(_connection: socket.socket) -> None:
        await asyncio.sleep(60)

    path = tmp_path / "a.sock"
    acceptor = Acceptor(listen_unix(path), serve, limit=8)
    flood = await asyncio.create_subprocess_exec(sys.executable, "-c", _FLOOD, str(path))
    longest, last = 0.0, time.monotonic()
    ending = asyncio.ensure_future(flood.wait())
    while not ending.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ending), 0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await acceptor.close()
    assert longest < 1
