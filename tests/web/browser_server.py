"""A server with nothing but the dashboard's routes, and a page's half of the conversation."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import requests
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ctui.web.browser import Dashboards
from ctui.web.browser.sessions import Sessions
from ctui.web.guard import Guard

TOKEN = "the-token-of-this-test"
WAIT_SECONDS = 20.0


class Server:
    """A running server, and how one logs in to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = TOKEN
        self.now = 1000.0
        """Seconds of its sessions' clock."""
        self.ended = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def check(self, token: str) -> bool:
        return token == self.token

    async def ask(
        self, method: str, path: str, *, origin: str | None = None, **given: Any
    ) -> requests.Response:
        """A request as a page of this server sends it, unless another origin is named."""
        headers = {"Origin": self.url if origin is None else origin, **given.pop("headers", {})}
        return await asyncio.to_thread(
            lambda: requests.request(
                method,
                self.url + path,
                headers={name: value for name, value in headers.items() if value},
                allow_redirects=False,
                timeout=WAIT_SECONDS,
                **given,
            )
        )

    async def log_in(self) -> Login:
        """With the right token."""
        answer = await self.ask("POST", "/login", data={"token": self.token})
        assert answer.status_code == 200, answer.text
        return Login(self, answer.headers["Set-Cookie"].partition(";")[0], answer.json()["key"])


class Login:
    """What a browser keeps."""

    def __init__(self, server: Server, cookie: str, key: str) -> None:
        self.server = server
        self.cookie = cookie
        self.key = key

    @asynccontextmanager
    async def socket(
        self, *, cookie: str | None = None, origin: str | None = None
    ) -> AsyncIterator[Socket]:
        """A socket on which nothing was said yet."""
        address = f"ws://127.0.0.1:{self.server.port}/browser/socket"
        headers = {"Cookie": self.cookie if cookie is None else cookie}
        origin = self.server.url if origin is None else origin
        async with connect(
            address,
            additional_headers={**headers, **({"Origin": origin} if origin else {})},
            max_size=None,
            ping_interval=None,
            close_timeout=0.5,  # what was not read would keep it open
        ) as made:
            yield Socket(made)

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Socket]:
        """A socket behind which the program runs."""
        async with self.socket() as made:
            await made.say("hello", key=self.key, columns=80, rows=24)
            yield made


class Socket:
    """A page's end of the socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.shown = b""
        self.exit_code: int | None = None

    async def say(self, kind: str, **more: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **more}))

    async def type(self, text: str) -> None:
        await self.say("typed", text=text)

    async def until(self, wanted: bytes) -> bytes:
        """All output so far, as soon as something is in it."""
        async with asyncio.timeout(WAIT_SECONDS):
            while wanted not in self.shown:
                data = await self.connection.recv()
                assert isinstance(data, bytes), data
                self.shown += data
                await self.say("seen", bytes=len(data))
        return self.shown

    async def closed(self) -> int:
        """The code that it is closed with, after all that is still said."""
        async with asyncio.timeout(WAIT_SECONDS):
            with suppress(ConnectionClosed):  # raised for other codes than the normal ones
                async for data in self.connection:
                    if isinstance(data, str):
                        self.exit_code = json.loads(data)["code"]
                    else:
                        self.shown += data
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code


@asynccontextmanager
async def serving(
    command: Sequence[str], environ: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Serve a program behind the guard of the whole application."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(listening.getsockname()[1])
    dashboards = Dashboards(
        server.check,
        command,
        Path("/"),
        title="a <test>",
        environ=environ,
        sessions=Sessions(server.check, lambda: server.now),
    )
    app = Guard(Starlette(routes=dashboards.routes()), ())
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=5)
    running = uvicorn.Server(config)
    job = asyncio.create_task(running.serve(sockets=[listening]))
    try:
        ended = asyncio.create_task(server.ended.wait())
        async with asyncio.timeout(WAIT_SECONDS):
            while not running.started:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # it tells nobody
        ended.add_done_callback(lambda _: setattr(running, "should_exit", True))
        yield server
    finally:
        server.ended.set()
        await job
        listening.close()


def python(*lines: str) -> list[str]:
    """A program that is a few lines of Python."""
    return [sys.executable, "-I", "-S", "-u", "-c", "\n".join(lines)]
