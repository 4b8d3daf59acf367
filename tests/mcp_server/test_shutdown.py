"""The server ends within a second, with exit code 0, however it is ended."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.mcp_server.raw import raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("spoken", [False, True])
async def test_a_signal_ends_it_while_stdin_is_open(
    repository: Path, number: signal.Signals, *, spoken: bool
) -> None:
    async with raw(repository, real=True) as server:
        await server.initialize()
        if spoken:
            await server.works()
        server.process.send_signal(number)
        assert await server.ended() == 0


async def test_the_end_of_stdin_ends_it(repository: Path) -> None:
    async with raw(repository, real=True) as server:
        await server.initialize()
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert await server.ended() == 0
        assert server.process.stderr is not None
        assert await server.process.stderr.read() == b""


async def test_it_ends_before_anything_was_said(repository: Path) -> None:
    async with raw(repository, real=True) as server:
        assert server.process.stdin is not None
        server.process.stdin.close()
        async with asyncio.timeout(30):  # it has to start first
            assert await server.process.wait() == 0


@pytest.mark.parametrize("how", ["signal", "end of stdin"])
async def test_it_ends_although_nobody_reads_what_it_says(repository: Path, how: str) -> None:
    """The pipe is full, so its last words wait in a thread."""
    async with raw(repository, real=True) as server:
        await server.initialize()
        server.process.stdout = None  # nobody reads it from here on
        for _ in range(12):
            await server.request("tools/list", {})
        if how == "signal":
            server.process.send_signal(signal.SIGTERM)
        else:
            assert server.process.stdin is not None
            server.process.stdin.close()
        assert await server.ended() == 0


async def test_when_nobody_can_read_it_ends_by_itself(repository: Path) -> None:
    async with raw(repository, real=True) as server:
        await server.initialize()
        transport = server.process._transport  # type: ignore[attr-defined]
        transport.get_pipe_transport(1).close()
        await server.request("tools/list", {})
        async with asyncio.timeout(10):
            assert await server.process.wait() == 0


async def test_what_is_printed_does_not_reach_the_protocol(repository: Path) -> None:
    """A hook of git, a library, a forgotten print: stdout is the client's alone."""
    async with raw(repository, real=True) as server:
        await server.initialize()
        open_files = Path(f"/proc/{server.process.pid}/fd")
        assert (open_files / "0").readlink() == Path(os.devnull)
        assert (open_files / "1").readlink() == (open_files / "2").readlink()
