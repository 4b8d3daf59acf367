"""Every tool of the server, by name."""

from __future__ import annotations

from collections.abc import Mapping

from ctui.mcp_server.protocol.tool import Tool
from ctui.mcp_server.tools import execute, tools_asks, tools_setup, tools_tasks, tools_worktrees

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for module in (execute, tools_tasks, tools_asks, tools_worktrees, tools_setup)
    for tool in module.TOOLS
}
