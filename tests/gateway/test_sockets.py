"""Accepting, whatever a connection does."""

from __future__ import annotations

import asyncio
import socket
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
