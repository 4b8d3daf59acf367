"""The MCP servers of the image's variant `browser`, as a task's sandbox lets them run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ctui.claude.mcp.image_servers import IMAGE_SERVERS
from ctui.config import ImageConfig
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import build_image
from tests.conftest import ENGINE_WIDE

# Its image takes minutes to build and is used by no other test.
pytestmark = [pytest.mark.engine, pytest.mark.soak, ENGINE_WIDE]

SEALED = (
    *("--network", "none", "--read-only", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--user", "1000:1000"),
    *("--tmpfs", "/tmp:exec", "--tmpfs", "/home/claude:mode=1777"),
)
VARIABLES = {
    "DATABASE_URL": "postgres://user:password@localhost/database",
    "GITHUB_PERSONAL_ACCESS_TOKEN": "token",
    "SQLITE_DATABASE": "/tmp/database",
}
HELLO: list[dict[str, Any]] = [
    {
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-03-26",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    },
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/list"},
]
PAGE = "data:text/html,<title>A title</title><h1>Works</h1>"
NAVIGATE = {
    "id": 3,
    "method": "tools/call",
    "params": {"name": "browser_navigate", "arguments": {"url": PAGE}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def image() -> AsyncIterator[str]:
    engine = await Engine.connect()
    yield await build_image(engine, ImageConfig(variant="browser"), lambda _: None)
    await engine.close()


async def answers(image: str, name: str, calls: list[dict[str, Any]]) -> dict[int, Any]:
    """Start a server as a task would, and return its answers."""
    server = IMAGE_SERVERS[name]
    variables = [word for key in server.env for word in ("--env", f"{key}={VARIABLES[key]}")]
    process = await asyncio.create_subprocess_exec(
        *("docker", "run", "--rm", "-i", *SEALED, *variables),
        *("--entrypoint", server.command, image, *server.args),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.writelines(
        json.dumps({"jsonrpc": "2.0", **one}).encode() + b"\n" for one in calls
    )
    wanted = {one["id"] for one in calls if "id" in one}
    found: dict[int, Any] = {}
    async with asyncio.timeout(120):
        while wanted - set(found) and (line := await process.stdout.readline()):
            said = json.loads(line)
            if "id" in said and "method" not in said:
                found[said["id"]] = said.get("result")
        process.stdin.close()
        await process.wait()
    return found


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("filesystem", "read_text_file"),
        ("github", "get_file_contents"),
        ("postgres", "query"),
        ("sqlite", "read_query"),
    ],
)
async def test_a_server_of_the_image_has_its_tools(image: str, name: str, tool: str) -> None:
    """Part 1: the servers of the specification."""
    found = await answers(image, name, HELLO)
    assert tool in {one["name"] for one in found[2]["tools"]}


@pytest.mark.asyncio(loop_scope="module")
async def test_chromium_opens_a_page_in_the_sandbox(image: str) -> None:
    """Part 1: Chromium and Playwright's server."""
    found = await answers(image, "playwright", [*HELLO, NAVIGATE])
    assert "A title" in json.dumps(found[3])
