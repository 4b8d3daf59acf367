"""MCP over streamable HTTP: the same tools, for a server that has checked its callers already."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.routing import Route

from ctui.mcp_server.protocol.call import State
from ctui.mcp_server.server import build_server
from ctui.paths import Paths

PATH = "/mcp"

_MOST_BYTES = 9 << 20
"""Bytes of one message, as of every other request."""

_MOST_SESSIONS = 1000
_IDLE_SECONDS = 600.0
"""Seconds until a silent session ends: many clients go without a word, others begin anew."""


class HttpServer:
    """The route, and what runs behind it as long as the application does."""

    def __init__(self, paths: Paths, repo: Path) -> None:
        """Begin with nothing running.

        Args:
            paths: whose tasks and worktrees.
            repo: the repository that is meant where none is named; absolute.
        """
        self._sessions = StreamableHTTPSessionManager(
            build_server(State(paths, repo)),
            max_request_body_size=_MOST_BYTES,
            max_sessions=_MOST_SESSIONS,
            session_idle_timeout=_IDLE_SECONDS,
        )
        self.routes = [Route(PATH, self._sessions.asgi_app)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve until the context ends. Tasks go on: a call that is cut off interrupts nothing."""
        async with self._sessions.run():
            yield
