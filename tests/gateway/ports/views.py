"""A view of a run whose task's side is the real one, and a browser of few words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.ports.view import PortView
from tests.gateway.inside import inside

LABEL = "t1"


class Hub:
    """A hub, and waiting for what it is told."""

    def __init__(self, folder: Path) -> None:
        self.hub = PortsHub(folder / "ports.sock", self._changed)
        self._news = asyncio.Event()

    def _changed(self) -> None:
        self._news.set()

    async def has(self, port: int, *, listening: bool = True) -> None:
        """Wait until the hub was told of a port, or that it is closed."""
        while (port in self.hub.ports) is not listening:
            self._news.clear()
            await self._news.wait()


@asynccontextmanager
async def hub_with_task(folder: Path) -> AsyncIterator[Hub]:
    folder.mkdir(exist_ok=True)
    hub = Hub(folder)
    await hub.hub.start()
    try:
        async with inside(folder):
            yield hub
    finally:
        await hub.hub.close()


class Answer(NamedTuple):
    """An answer of the view, whole."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name)


class Browser:
    """Requests to a view, with the cookies that it gave."""

    def __init__(self, view: PortView) -> None:
        self.view = view
        self.cookies: dict[str, str] = {}

    async def get(self, url: str, *headers: str, method: str = "GET", cookie: str = "") -> Answer:
        parts = urlsplit(url)
        host = parts.netloc
        cookie = "; ".join(filter(None, (self.cookies.get(host), cookie)))
        lines = [f"{method} {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1"]
        lines += [f"Host: {host}", "Connection: close", *headers]
        lines += [f"Cookie: {cookie}"] if cookie else []
        raw = await self.say("\r\n".join([*lines, "", ""]).encode())
        head, _, body = raw.partition(b"\r\n\r\n")
        status, *rest = head.decode("latin-1").split("\r\n")
        pairs = [(name, value.strip()) for name, _, value in (one.partition(":") for one in rest)]
        return Answer(int(status.split()[1]), pairs, body)

    async def say(self, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.view.port)
        writer.write(data)
        try:
            return await reader.read()
        finally:
            writer.close()

    async def enter(self, url: str) -> Answer:
        """Open an address with a key, and keep the cookie."""
        answer = await self.get(url)
        if answer.status == 303 and any(key.lower() == "set-cookie" for key, _ in answer.headers):
            self.cookies[urlsplit(url).netloc] = answer.header("set-cookie").partition(";")[0]
        return answer


@asynccontextmanager
async def viewing(hubs: dict[str, PortsHub], **options: object) -> AsyncIterator[Browser]:
    view = PortView(0, hubs.get, **options)  # type: ignore[arg-type]
    await view.start()
    try:
        yield Browser(view)
    finally:
        await view.close()
