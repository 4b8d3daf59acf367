"""The API's part of the gateway on real sockets, in the test's own process."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest_asyncio

from ctui.gateway.api.app import Api
from ctui.gateway.api.call import estimate
from ctui.gateway.api.exchange import Shared
from ctui.gateway.api.place import Held, Place, held_by_all
from ctui.gateway.api.server import ApiServer, api_config, quiet_libraries
from ctui.gateway.api.upstream import Upstream as Outside
from ctui.gateway.books.books import Books
from ctui.gateway.books.reading import read_calls, read_requests
from ctui.gateway.books.rows import CallRow, NewCall, RequestRow
from ctui.gateway.egress.policy import Policy
from ctui.gateway.logins import Logins
from ctui.gateway.model import Access, Anomaly, LimitReached, Login, LoginRejected, Spent
from tests.gateway.upstream import Answerer, Upstream, answer_whole, upstream

SECRET = "sk-ant-api03-the-real-one"
PLACEHOLDER = "ctui-placeholder-1"
HEAD = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {PLACEHOLDER}\r\n"
"""Of a call, to which more can be added."""
CALL = b'{"model":"claude-sonnet-5","max_tokens":100,"stream":true,"messages":[]}'


@dataclass
class Gate:
    """A gateway for one run, its books, and what it said."""

    folder: Path
    books: Books
    logins: Logins
    place: Place
    api: Api
    server: ApiServer
    outside: Outside
    held: Held
    anomalies: list[Anomaly]
    rejected: list[LoginRejected]
    spent: list[Spent] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.folder / "api.sock"

    def client(self) -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(uds=str(self.socket), verify=False)
        headers = {"authorization": f"Bearer {PLACEHOLDER}", "anthropic-version": "2023-06-01"}
        return httpx2.AsyncClient(
            transport=transport, base_url="http://api.anthropic.com", headers=headers, timeout=20
        )

    async def post(self, body: bytes = CALL, path: str = "/v1/messages") -> httpx2.Response:
        async with self.client() as client:
            return await client.post(path, content=body)

    async def raw(self, request: bytes) -> bytes:
        """Send bytes, and return all that comes back until the connection is closed."""
        reader, writer = await asyncio.open_unix_connection(self.socket)
        writer.write(request)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer

    async def calls(self) -> list[CallRow]:
        """The calls as a reader of the books sees them, once all is written."""
        await self.books.begin(_marker(self.books))
        rows = read_calls(self.folder / "network.db")
        return [row for row in rows if row.call.task != "marker"]

    async def ended(self, number: int) -> list[Any]:
        """The calls, as soon as so many have ended."""
        async with asyncio.timeout(10):
            while len(rows := [row for row in await self.calls() if row.ending]) < number:  # noqa: ASYNC110 - of a file
                await asyncio.sleep(0.01)
        return rows

    async def requests(self) -> list[RequestRow]:
        await self.books.begin(_marker(self.books))
        return read_requests(self.folder / "network.db")


def _marker(books: Books) -> NewCall:
    return NewCall(books.next_id(), 0, "marker/1", "marker", "", "", "", 0, 0)


Open = Callable[..., Awaitable[Gate]]


@pytest_asyncio.fixture
async def open_gate() -> AsyncIterator[Open]:
    """Open gateways for one run each; the folder is short, as a socket's path must be."""
    async with AsyncExitStack() as stack:

        async def make(
            login: Login | None = None,
            *,
            renew: Callable[[Logins], None] | None = None,
            **access: object,
        ) -> Gate:
            folder = Path(tempfile.mkdtemp(prefix="ctui-gw-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            quiet_libraries()
            anomalies: list[Anomaly] = []
            rejected: list[LoginRejected] = []
            spent: list[Spent] = []

            def tell(event: LoginRejected) -> bool:
                rejected.append(event)
                if renew is not None:
                    asyncio.get_running_loop().call_soon(renew, logins)
                return renew is not None

            def told(event: Spent | LimitReached) -> None:
                if isinstance(event, Spent):
                    spent.append(event)

            logins = Logins(tell)
            logins.push([login] if login else [], {login.name} if login else ())
            books = await Books.open(folder / "network.db", estimate)
            outside = Outside(os.environ)
            held = held_by_all()
            given: dict[str, Any] = {"placeholder": PLACEHOLDER, **access}
            named = login.name if login else ""
            run = Access("task-a/1", "task-a", "task-a", str(folder), Policy(), named, **given)
            place = Place(run, held, anomalies.append)
            api = Api(Shared(books, logins, outside, told))
            server = ApiServer(folder / "api.sock", api_config(api), place)
            await server.start()
            stack.push_async_callback(books.close)
            stack.push_async_callback(outside.close)
            stack.push_async_callback(server.close)
            return Gate(
                folder, books, logins, place, api, server, outside, held, anomalies, rejected, spent
            )

        yield make


class Serve(Protocol):
    def __call__(self, answer: Answerer = ...) -> Awaitable[Upstream]: ...


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers in the API's place."""
    async with AsyncExitStack() as stack:

        async def start(answer: Answerer = answer_whole) -> Upstream:
            return await stack.enter_async_context(upstream(answer))

        yield start


def key(server: Upstream, **more: object) -> Login:
    return Login("the key", "api-key", SECRET, base_url=server.url, **more)  # type: ignore[arg-type]
