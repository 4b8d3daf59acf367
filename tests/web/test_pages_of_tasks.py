"""Pages of tasks by a real `ctui serve`: below the domain that was named, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ctui.client.access.ports import is_elsewhere
from ctui.paths import Paths
from ctui.web.browser.terminal import program_environment
from tests.conftest import environment_in, make_repository
from tests.gateway.egress.outside import Certificates, certificates
from tests.gateway.inside import free_port
from tests.web.conftest import Served, serving

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"


class Gate:
    """What listens where the gateway would: heads that it was asked with."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.open = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(PAGE)
                if b"Upgrade" in self.heads[-1]:
                    while data := await reader.read(100):
                        writer.write(data)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def served_by_tls(folder: Path, gate: int) -> AsyncIterator[tuple[Served, Certificates]]:
    """Run `ctui serve` with a certificate for a domain of tasks' pages."""
    environ = {**environment_in(folder), "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    file = Paths.from_environment(environ).config_file
    file.parent.mkdir(parents=True)
    file.write_text(
        f'[network]\nports = {gate}\n[serve]\nports_domain = "*.tasks.example.org:6080"\n'
    )
    tls = certificates(folder, "localhost", "*.tasks.example.org")
    options = ("--tls-cert", str(tls.chain), "--tls-key", str(tls.chain))
    with serving(make_repository(folder), environ, *options) as served:
        assert served.process.stderr is not None
        said = await asyncio.to_thread(served.process.stderr.readline)
        assert "what tasks serve: https://PORT-TASK.tasks.example.org:6080 (`ctui task open" in said
        yield served, tls


async def connect(
    served: Served, tls: ssl.SSLContext, name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", served.port, ssl=tls, server_hostname=name)


async def ask(served: Served, tls: ssl.SSLContext, head: str) -> bytes:
    """Return the first bytes of what is said to a head, which comes in two parts."""
    reader, writer = await connect(served, tls, "localhost")
    for part in (head[:9], head[9:]):
        writer.write(part.encode())
        await writer.drain()
    try:
        async with asyncio.timeout(20):
            return await reader.read(4096)
    finally:
        writer.close()


async def test_they_are_led_to_the_gate_and_nothing_else_is(tmp_path: Path) -> None:
    gate, port, name = Gate(), free_port(), "3000-t1.tasks.example.org"
    async with served_by_tls(tmp_path, port) as (served, tls):
        said = await ask(served, tls.client, f"GET / HTTP/1.1\r\nHost: {name}:6080\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 502 ")
        assert b"no task serves anything" in said
        async with await asyncio.start_server(gate, "127.0.0.1", port):
            await _led(served, tls, gate, name)


async def _led(served: Served, tls: Certificates, gate: Gate, name: str) -> None:
    reader, writer = await connect(served, tls.client, name)
    for path in ("a", "b"):  # one connection has many requests, byte for byte
        head = f"GET /{path} HTTP/1.1\r\nhOST:  3000-T1.Tasks.Example.org.:6080 \r\nX: y\r\n\r\n"
        writer.write(head.encode())
        assert await reader.readexactly(len(PAGE)) == PAGE
        assert gate.heads[-1] == head.encode()
    writer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\nUpgrade: x\r\n\r\n".encode())
    await reader.readexactly(len(PAGE))
    writer.write(b"frames")
    assert await reader.readexactly(6) == b"frames"
    writer.close()
    seen = len(gate.heads)
    refused = ("tasks.example.org", "3000-t1.tasks.example.org.evil.example", "evil.example")
    for host in (*refused, "3000.t1.localhost", "3000-t1xtasks.example.org"):
        said = await ask(served, tls.client, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 421 "), host
    twice = f"GET / HTTP/1.1\r\nHost: localhost\r\nHost: {name}\r\n\r\n"
    assert (await ask(served, tls.client, twice)).startswith(b"HTTP/1.1 400 ")
    assert (await ask(served, tls.client, f"GET /{name}\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    own = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert b"location: /login\r\n" in await ask(served, tls.client, own)
    # A connection of the dashboard's stays one, whatever it asks for later.
    later = own + f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    reader, writer = await connect(served, tls.client, "localhost")
    writer.write(later.encode())
    assert b"HTTP/1.1 421 " in await reader.read()
    writer.close()
    assert len(gate.heads) == seen


async def test_the_server_s_end_ends_pages_that_are_open(tmp_path: Path) -> None:
    gate, port = Gate(), free_port()
    async with await asyncio.start_server(gate, "127.0.0.1", port):
        async with served_by_tls(tmp_path, port) as (served, tls):
            reader, writer = await connect(served, tls.client, "3000-t1.tasks.example.org")
            writer.write(b"GET / HTTP/1.1\r\nHost: 3000-t1.tasks.example.org\r\n\r\n")
            await reader.readexactly(len(PAGE))
        with contextlib.suppress(OSError):
            assert await reader.read() == b""
        writer.close()


def test_who_is_elsewhere_is_told_what_to_forward(tmp_path: Path) -> None:
    """By ssh the server is here, and the person's browser is not."""
    ssh = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22", "CTUI_NETWORK_PORTS": "8898"}
    quiet = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    with serving(make_repository(tmp_path), {**environment_in(tmp_path), **quiet, **ssh}) as served:
        assert served.process.stderr is not None
        said = served.process.stderr.readline()
        served.healthy()  # before that it may not know yet how to end
    assert f"`ssh -L 8898:127.0.0.1:8898 {socket.gethostname()}` where your browser is" in said


@pytest.mark.parametrize(
    ("environ", "elsewhere"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, False),
        ({"SSH_CONNECTION": "x"}, True),
        ({"SSH_CONNECTION": "x", "DISPLAY": "localhost:10.0"}, False),
        ({"CTUI_SERVED": "1", "DISPLAY": ":0"}, True),
    ],
)
def test_where_a_browser_is(environ: dict[str, str], *, elsewhere: bool) -> None:
    assert is_elsewhere(environ) is elsewhere


def test_a_dashboard_in_a_browser_knows_that_it_is_one() -> None:
    assert is_elsewhere(program_environment({"PATH": "/bin"}))
