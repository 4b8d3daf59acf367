"""The gateway's process beside the model: what a task listens on, and what it reaches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
import pytest_asyncio

from ctui.errors import NotFound
from ctui.gateway.books.reading import read_requests
from ctui.gateway.egress.policy import Policy, PrivateHost, Rule
from ctui.gateway.link import Link
from ctui.gateway.model import Listening
from ctui.gateway.port_client import forwarded_port, open_port
from tests.gateway.inside import free_port, inside
from tests.gateway.living import Home, booked, home

_PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nHello"


@pytest_asyncio.fixture
async def made() -> AsyncIterator[Home]:
    async with home() as one:
        yield one


@asynccontextmanager
async def page() -> AsyncIterator[int]:
    """Serve a page on some port of the task."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_PAGE)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def test_a_task_s_page_is_opened_and_its_port_forwarded(made: Home) -> None:
    """By a front end, over the gateway's own socket; the secret's cookie outlives a kill."""
    gate, folder = free_port(), made.root / "a"
    with pytest.raises(NotFound, match="no task is running"):
        await open_port(made.paths, "a", 1)
    async with Link(made.paths, made.take) as link, page() as port:
        assert await link.serve([made.access()], [], gate=gate) == {}
        async with inside(folder):
            await made.event(Listening, lambda event: port in event.ports)
            url = httpx2.URL(await open_port(made.paths, "a", port))
            assert (url.host, url.port) == (f"{port}.a.localhost", gate)
            headers = {"host": f"{url.host}:{url.port}"}
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gate}") as client:
                first = await client.get(f"/?{url.query.decode()}", headers=headers)
                headers["cookie"] = first.headers["set-cookie"].partition(";")[0]
                assert (await client.get("/", headers=headers)).text == "Hello"
                await made.kill()
                made.events.clear()
                await made.event(Listening, lambda event: port in event.ports)
                assert (await client.get("/", headers=headers)).text == "Hello"
            async with forwarded_port(made.paths, "a", port) as (address, over):
                async with httpx2.AsyncClient() as client:
                    assert (await client.get(f"http://{address}/")).text == "Hello"
                await made.kill()
                async with asyncio.timeout(10):
                    await over.wait()


async def test_a_gate_s_port_that_is_taken_is_said_and_stops_nothing(made: Home) -> None:
    """The runs are served, and the gate opens as soon as another port is named."""
    async with Link(made.paths, made.take) as link, page() as taken:
        problems = await link.serve([made.access()], [], gate=taken)
        assert list(problems) == [""]
        assert f"port {taken}" in problems[""]
        with pytest.raises(NotFound, match=rf"not shown: port {taken} .* cannot be used"):
            await open_port(made.paths, "a", 1)
        assert await link.serve([made.access()], [], gate=free_port()) == {}


async def test_what_a_task_reaches_is_in_the_books(made: Home) -> None:
    """Host, port, rule and bytes of each attempt; the gate's own port is never reached."""
    gate = free_port()
    async with Link(made.paths, made.take) as link, page() as port:
        private = (PrivateHost("host", port), PrivateHost("host", gate))
        policy = Policy(hold=0, private=private)
        await link.serve([made.access(egress=policy)], [], gate=gate)
        said = [await _asked(made, f"host:{one}") for one in (port, gate)]
        refused = await _asked(made, "pastes.example:443")
    assert said[0].endswith(b"Hello")
    assert b" 403 " in said[1].split(b"\r\n")[0]
    assert b" 403 " in refused.split(b"\r\n")[0]
    found = await booked(
        lambda: read_requests(made.paths.network_books),
        lambda found: len(found) == 3 and all(row.over for row in found),
    )
    rows = {(row.host, row.port): row for row in found}
    reached = rows["host", port]
    assert (reached.verdict, reached.rule, reached.run) == (
        "allowed",
        f"private host:{port}",
        "a/1",
    )
    assert reached.down == len(_PAGE)
    assert rows["pastes.example", 443].verdict == "refused"


async def test_what_a_table_denies_is_cut_off(made: Home) -> None:
    """A tunnel that is open ends as soon as its host is denied; the others stay."""
    async with Link(made.paths, made.take) as link, page() as port, page() as other:
        private = (PrivateHost("host", port), PrivateHost("host", other))
        await link.serve([made.access(egress=Policy(private=private))], [])
        cut, kept = [await _tunnel(made, f"host:{one}") for one in (port, other)]
        denied = Policy(private=private, deny=(Rule("host", (port,)),))
        await link.serve([made.access(egress=denied)], [])
        async with asyncio.timeout(10):
            assert await cut[0].read() == b""
        kept[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await kept[0].read()).endswith(b"Hello")
        for _, writer in (cut, kept):
            writer.close()


async def _tunnel(made: Home, target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(made.root / "a" / "egress.sock")
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def _asked(made: Home, target: str) -> bytes:
    """Return all that a tunnel to a target says to a request for a page."""
    reader, writer = await asyncio.open_unix_connection(made.root / "a" / "egress.sock")
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " in answer:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(10):
        answer += await reader.read()
    writer.close()
    return answer
