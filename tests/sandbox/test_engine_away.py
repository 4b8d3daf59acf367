"""An engine that goes away, or says so: whatever call notices it, it may be made again."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ctui.errors import ExternalFailure, RunnerUnavailable
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.runner import NOTHING

# The SDK lets go of a connection that broke when its memory is freed, and not before.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Call = Callable[[DockerRunner], Awaitable[Any]]


async def _journal(runner: DockerRunner) -> None:
    async for _ in runner.journal("box", NOTHING, follow=True):
        pass


CALLS: dict[str, Call] = {
    "start": lambda runner: runner.start("box"),
    "attach": lambda runner: runner.attach("box", torn=False),
    "journal": _journal,
    "state": lambda runner: runner.state("box"),
    "stop": lambda runner: runner.stop("box", grace=0.1),
    "unpause": lambda runner: runner.unpause("box"),
    "remove": lambda runner: runner.remove("box"),
    "list_ours": lambda runner: runner.list_ours("task"),
    "discard_volumes": lambda runner: runner.discard_volumes("task"),
}


class Going:
    """An engine that says hello, and later what it is told to say."""

    def __init__(self) -> None:
        self.status = 0
        """0 is a connection that ends without a word."""
        self.said = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/_ping" in head or b"/version" in head:
            self._answer(writer, 200, {"ApiVersion": "1.41"})
        elif self.status:
            self._answer(writer, self.status, {"message": self.said})
        writer.close()
        await writer.wait_closed()

    def _answer(self, writer: asyncio.StreamWriter, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        head = (
            f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)


@pytest_asyncio.fixture
async def going(tmp_path: Path) -> AsyncIterator[tuple[Going, DockerRunner, asyncio.Server]]:
    path, engine = tmp_path / "docker.sock", Going()
    server = await asyncio.start_unix_server(engine.serve, path)
    client = await Engine.connect(Endpoint("unix", str(path)))
    yield engine, DockerRunner(client, "instance"), server
    await client.close()
    server.close()
    gc.collect()


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_that_finds_no_engine_can_be_made_again(
    going: tuple[Going, DockerRunner, asyncio.Server], call: str, tmp_path: Path
) -> None:
    """S10: killed in the middle of an answer, gone, or on its way out."""
    engine, runner, server = going
    with pytest.raises(RunnerUnavailable):
        await CALLS[call](runner)
    engine.status, engine.said = 503, "no"
    with pytest.raises(RunnerUnavailable):
        await CALLS[call](runner)
    server.close()
    (tmp_path / "docker.sock").unlink(missing_ok=True)
    with pytest.raises(RunnerUnavailable, match="no Docker engine"):
        await CALLS[call](runner)


async def test_what_an_engine_cannot_do_is_not_tried_for_ever(
    going: tuple[Going, DockerRunner, asyncio.Server],
) -> None:
    """S10, beside it: a refusal is one, unless the engine says that it is ending."""
    engine, runner, _ = going
    engine.status, engine.said = 500, "invalid mount config"
    with pytest.raises(ExternalFailure, match="invalid mount"):
        await runner.start("box")
    engine.said = "grpc: the client connection is closing: transport is closing"
    with pytest.raises(RunnerUnavailable):
        await runner.start("box")


async def test_the_disk_of_an_engine_that_is_away_is_not_known(
    going: tuple[Going, DockerRunner, asyncio.Server],
) -> None:
    """S18, beside it: the disks of the person's folders are looked at all the same."""
    assert await going[1].free_space() is None
