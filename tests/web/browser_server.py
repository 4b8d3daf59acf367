"""A server with nothing but the routes of the dashboard in a browser, on a port of its own."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from ctui.web.browser import Dashboards

TOKEN = "the-token-of-this-test"


class Served:
    """A running server."""

    def __init__(self, server: uvicorn.Server, port: int) -> None:
        self.server = server
        self.port = port
        self.token = TOKEN

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def check(self, token: str) -> bool:
        return token == self.token


@asynccontextmanager
async def serving(
    command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Served]:
    """Serve a program, with `TOKEN` as the token until another one is set."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Starlette()
    config = uvicorn.Config(made, log_level="warning", timeout_graceful_shutdown=5)
    served = Served(uvicorn.Server(config), listening.getsockname()[1])
    made.router.routes.extend(
        Dashboards(served.check, command, folder, title="a <test>", environ=environ).routes()
    )
    job = asyncio.create_task(served.server.serve(sockets=[listening]))
    try:
        yield served
    finally:
        served.server.should_exit = True
        await job
        listening.close()


def python(code: str) -> list[str]:
    """A program that is a few lines of Python."""
    return [sys.executable, "-I", "-S", "-c", code]
