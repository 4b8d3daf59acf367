"""A server that is spoken to in plain lines, as no official client would."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.mcp_server.talking import command

SECONDS = 30.0


class Raw:
    """Lines to a real server, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._number = 0

    async def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def request(self, method: str, params: dict[str, Any]) -> int:
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        await self.send(json.dumps(message).encode())
        return self._number

    async def reply(self) -> dict[str, Any]:
        """The next line, which must be a message."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            line = await self.process.stdout.readline()
        found = json.loads(line)
        assert found["jsonrpc"] == "2.0"
        return dict(found)

    async def initialize(self) -> None:
        given = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        await self.request("initialize", given)
        assert (await self.reply())["result"]["serverInfo"]["name"] == "ctui"
        await self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')

    async def call(self, name: str, arguments: Any) -> dict[str, Any]:
        number = await self.request("tools/call", {"name": name, "arguments": arguments})
        reply = await self.reply()
        assert reply["id"] == number
        return reply

    async def ended(self) -> int:
        """The exit code, within a second."""
        async with asyncio.timeout(1.0):
            return await self.process.wait()

    async def works(self) -> None:
        """It still answers."""
        reply = await self.call("list_tasks", {})
        assert reply["result"]["structuredContent"] == {"tasks": []}


@asynccontextmanager
async def raw(repository: Path, *, real: bool = False) -> AsyncIterator[Raw]:
    """A server; it is killed if the test left it alive.

    Args:
        repository: that it serves.
        real: whether the process is the server itself, and imports for itself.
    """
    program, *arguments = command(repository, real=real)
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env=dict(os.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    try:
        yield Raw(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
