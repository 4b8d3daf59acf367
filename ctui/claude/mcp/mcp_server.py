"""An MCP server of a task, as it is kept."""

from __future__ import annotations

from typing import Literal

import msgspec

Transport = Literal["stdio", "http", "sse"]


class McpServer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One server. Which fields count depends on its type; the last three may hold references."""

    type: Transport = "stdio"
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    url: str = ""
    headers: dict[str, str] = {}
