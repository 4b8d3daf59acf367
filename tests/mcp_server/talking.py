"""The official client, talking to a real `ctui --mcp` process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    TextContent,
)

from tests.warm import COMMAND, warm_argv

LEGACY = "legacy"
MODERN = "2026-07-28"

Fill = Callable[[ElicitRequestFormParams], Awaitable[ElicitResult]]


def command(repository: Path, *, real: bool = False) -> list[str]:
    """What starts the server: a new interpreter, or a fork of a warm one."""
    argv = COMMAND if real else warm_argv("servers")
    return [*argv, "--mcp", "--repo", str(repository)]


@asynccontextmanager
async def talking(
    repository: Path, environ: Mapping[str, str], mode: str = LEGACY, fill: Fill | None = None
) -> AsyncIterator[Client]:
    """A connected client; with `fill` one that shows forms."""
    program, *arguments = command(repository)
    server = StdioServerParameters(command=program, args=arguments, env=dict(environ), cwd="/")
    async with _connected(stdio_client(server), mode, fill) as client:
        yield client


@asynccontextmanager
async def talking_over_http(
    url: str, token: str, mode: str = LEGACY, fill: Fill | None = None
) -> AsyncIterator[Client]:
    """The same, with a `ctui serve`."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with _connected(transport, mode, fill) as client:
            yield client


@asynccontextmanager
async def _connected(transport: Any, mode: str, fill: Fill | None) -> AsyncIterator[Client]:
    async def show(
        context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult | ErrorData:
        del context
        assert fill is not None
        assert isinstance(params, ElicitRequestFormParams)
        return await fill(params)

    async with Client(transport, mode=mode, elicitation_callback=show if fill else None) as client:
        yield client


async def call(client: Client, name: str, /, **arguments: Any) -> Any:
    """The structured result of a tool that must not fail."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, text_of(result.content)
    return result.structured_content


async def refusal(client: Client, name: str, /, **arguments: Any) -> str:
    """The one line of a tool that must fail."""
    result = await client.call_tool(name, arguments)
    assert result.is_error, result.structured_content
    text = text_of(result.content)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


async def protocol_error(client: Client, name: str, /, **arguments: Any) -> str:
    try:
        await client.call_tool(name, arguments)
    except MCPError as error:
        return error.error.message
    raise AssertionError("no protocol error")


def text_of(content: list[Any]) -> str:
    return "\n".join(item.text for item in content if isinstance(item, TextContent))
