"""The MCP servers that are in ctui's own image, by the names that switch them on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ctui.claude.mcp.mcp_server import McpServer
from ctui.errors import InvalidInput
from ctui.paths import MANAGED
from ctui.text import one_line

_PROGRAM = "ctui-mcp-server"
"""The program that starts one of them: `docker/variants/start`."""

IMAGE_SERVERS = {
    "filesystem": McpServer(command=_PROGRAM, args=("filesystem",)),
    "github": McpServer(
        command=_PROGRAM,
        args=("github",),
        env={"GITHUB_PERSONAL_ACCESS_TOKEN": "${GITHUB_PERSONAL_ACCESS_TOKEN}"},
    ),
    "playwright": McpServer(command=_PROGRAM, args=("playwright",)),
    "postgres": McpServer(
        command=_PROGRAM, args=("postgres",), env={"DATABASE_URL": "${DATABASE_URL}"}
    ),
    "sqlite": McpServer(
        command=_PROGRAM, args=("sqlite",), env={"SQLITE_DATABASE": "${SQLITE_DATABASE}"}
    ),
}


TERMINAL = McpServer(
    command="/ctui/tree/bin/python3", args=("-I", "-S", f"{MANAGED}/terminal/server.py")
)
"""Terminals for programs that a task drives; it comes with the managed settings."""
_ANYWHERE = {"terminal": TERMINAL}


def image_servers(names: Iterable[str], *, missing_from: str = "") -> dict[str, McpServer]:
    """Return the servers that these names switch on; `terminal` needs nothing of an image.

    Args:
        names: of servers.
        missing_from: the variant of an image that has none of them; empty where it may.

    Raises:
        InvalidInput: there is no such server, or the image has none.
    """
    chosen = {}
    known = {**IMAGE_SERVERS, **_ANYWHERE}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name[:80], known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise InvalidInput(f"the image has no MCP server {one_line(name, 80)}", hint=hint)
        if missing_from and name not in _ANYWHERE:
            raise InvalidInput(
                f"the image's variant {missing_from} has no MCP servers",
                hint='set image.variant = "browser", then `ctui image build`',
            )
        chosen[name] = known[name]
    return chosen
