"""An engine that takes connections and says nothing, as a stopped dockerd does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from ctui.errors import RunnerUnavailable
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.liveness import answered
from ctui.sandbox.docker.transport import Connection, EngineHangs, connect, request
from docker import APIClient


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Endpoint]:
    """Its kernel takes connections; nobody reads them."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        yield Endpoint("unix", str(path))


class Slow:
    """An engine that answers pings until it is told not to."""

    def __init__(self) -> None:
        self.hangs = asyncio.Event()
        self.pings = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.pings += 1
        if self.hangs.is_set():
            await reader.read()  # until the other side has had enough
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest_asyncio.fixture
async def slow(tmp_path: Path) -> AsyncIterator[tuple[Slow, Endpoint]]:
    path, engine = tmp_path / "slow.sock", Slow()
    async with await asyncio.start_unix_server(engine.serve, path):
        yield engine, Endpoint("unix", str(path))


async def test_it_is_said_that_it_does_not_answer(silent: Endpoint) -> None:
    """S14: also where the first question is asked on a plain connection."""
    with pytest.raises(EngineHangs, match="does not answer"):
        await asyncio.wait_for(Engine.connect(silent), 30)
    connection = await connect(silent)
    with pytest.raises(EngineHangs):
        await asyncio.wait_for(request(connection, "GET", "/_ping", {}), 30)
    connection.close()


async def test_who_looks_at_the_disk_does_not_wait_for_it(silent: Endpoint) -> None:
    """A driver that has only adopted its tasks does not know yet where its folder is."""
    client = APIClient(f"unix://{silent.address}", version="1.44")
    runner = DockerRunner(Engine(silent, client), "i")
    async with asyncio.timeout(4):
        assert await runner.free_space() is None


async def test_a_call_is_given_up_only_where_the_engine_answers_nobody(
    slow: tuple[Slow, Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S14, beside it: a start on a busy machine takes long, and is no hung engine."""
    monkeypatch.setattr("ctui.sandbox.docker.liveness._PATIENCE_SECONDS", 0.1)
    engine, endpoint = slow
    call: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(answered(call, endpoint))
    async with asyncio.timeout(20):
        while engine.pings < 3:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
    call.set_result("done")
    assert await waiting == "done"
    engine.hangs.set()
    monkeypatch.setattr("ctui.sandbox.docker.liveness._PING_SECONDS", 0.2)
    with pytest.raises(EngineHangs):
        await answered(asyncio.get_running_loop().create_future(), endpoint)


async def test_a_connection_that_is_dead_ends() -> None:
    """A log is silent for long: only the kernel can tell that nobody is there any more."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = await connect(Endpoint("tcp", f"127.0.0.1:{port}"))
    try:
        found = connection.writer.get_extra_info("socket")
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    finally:
        connection.close()
        server.close()


@pytest.mark.parametrize(
    "head", ["", "HTTP/1.1", "HTTP/1.1 fine", "HTTP/1.1 \xb2", "HTTP/1.1 2000", "SSH-2.0-x 200"]
)
async def test_what_is_no_http_is_an_error_of_the_runner(head: str) -> None:
    """Whoever tries until the engine answers, tries again."""
    reader = asyncio.StreamReader()
    reader.feed_data(f"{head}\r\n\r\n".encode("latin-1"))
    reader.feed_eof()
    sent: list[bytes] = []

    class Writer:
        def write(self, data: bytes) -> None:
            sent.append(data)

    connection = Connection(reader, cast("asyncio.StreamWriter", Writer()))
    with pytest.raises(RunnerUnavailable, match="no HTTP"):
        await request(connection, "POST", "/containers/x/attach", {}, upgrade=True)
    assert sent
