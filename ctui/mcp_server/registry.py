"""Every tool of the server, by name."""

from __future__ import annotations

from collections.abc import Mapping

from ctui.mcp_server import execute, tools_asks, tools_setup, tools_tasks, tools_worktrees
from ctui.mcp_server.tool import Tool

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for module in (execute, tools_tasks, tools_asks, tools_worktrees, tools_setup)
    for tool in module.TOOLS
}
