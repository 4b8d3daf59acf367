"""The tools for what tasks need: image, volumes, login."""

from __future__ import annotations

from ctui.mcp_server.tool import Tool

TOOLS: tuple[Tool, ...] = ()
