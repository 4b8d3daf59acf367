"""Patience that ends, in a server of this process with less of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from ctui.web import server
from ctui.web.listen import Listening, listen

_SHORT = 0.3
_TOO_LONG = 10.0


class _Endless:
    """Answers every request with more than anybody reads; a POST only when its body has come."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        more = scope["method"] == "POST"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            # Waits while the client takes nothing, and no more once it is cut off.
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        self.left.set()


@pytest_asyncio.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Listening, _Endless]]:
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "STALL_SECONDS"):
        monkeypatch.setattr(server, name, _SHORT)
    app, listening = _Endless(), listen("127.0.0.1", 0)
    job = asyncio.create_task(server.serve(app, listening, lambda: None))
    yield listening, app
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(3):
        await job


async def _open(listening: Listening) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(listening.url.rpartition(":")[2]))


async def test_who_takes_nothing_is_cut_off(place: tuple[Listening, _Endless]) -> None:
    listening, app = place
    reader, writer = await _open(listening)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(_TOO_LONG):
        await app.left.wait()
    writer.close()
    del reader


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\nHost: x\r\n\r\nab",
    ],
)
async def test_who_does_not_end_a_request_is_cut_off(
    place: tuple[Listening, _Endless], begin: bytes
) -> None:
    listening, _ = place
    reader, writer = await _open(listening)
    writer.write(begin)
    async with asyncio.timeout(_TOO_LONG):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()
