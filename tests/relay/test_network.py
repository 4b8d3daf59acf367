"""The task's end of its network: a proxy, names, services on loopback, and who keeps it alive."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import ssl
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.gateway.egress.policy import Policy
from ctui.gateway.sockets import Acceptor, listen_unix
from tests.gateway.egress.outside import Pages, echo, private, serving, way_out
from tests.gateway.inside import Inside, free_port, inside, part
from tests.relay.test_relay import ECHO, FIRST, Relay

A, AAAA, HTTPS, PTR = 1, 28, 65, 12


def message(name: str, kind: int = A, *, flags: int = 0x0100) -> bytes:
    """Return a question for a name."""
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split(".") if one)
    return struct.pack(">6H", 7, flags, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)


async def ask(resolver: int, name: str, kind: int = A) -> tuple[int, list[str]]:
    """Return the code of the answer to a question, and the addresses in it."""
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", resolver))
        asked = message(name, kind)
        await loop.sock_sendall(client, asked)
        said = await loop.sock_recv(client, 512)
    ident, flags, _, count, *_ = struct.unpack_from(">6H", said)
    assert (ident, flags & 0x8100, said[12 : len(asked)]) == (7, 0x8100, asked[12:])
    record = said[len(asked) + 12 :]
    family = socket.AF_INET if len(record) == 4 else socket.AF_INET6
    return flags & 15, [socket.inet_ntop(family, record)] if count else []


async def address(inside: Inside, name: str) -> str:
    code, [found] = await ask(inside.resolver, name)
    assert code == 0
    return found


async def test_what_knows_of_no_proxy_is_led_by_its_name(tmp_path: Path) -> None:
    """Who looks a name up and dials is at the gateway under that name, and hears its answer."""
    port = free_port()
    named = private(port, host="no-such-name.invalid")
    async with way_out(tmp_path, named) as way, inside(tmp_path, port) as task:
        reader, writer = await asyncio.open_connection(
            await address(task, "NO-such-name.invalid"), port
        )
        line = f"ctui: no-such-name.invalid:{port}: there is no such name\r\n"
        assert await reader.read() == line.encode()
        writer.close()
        [record] = await way.over()
        assert (record.host, record.port) == ("no-such-name.invalid", port)


async def test_names_have_addresses_of_their_own(tmp_path: Path) -> None:
    """The same name keeps its address, another gets another one, and only IPv4 is offered."""
    async with way_out(tmp_path, Policy()), inside(tmp_path) as task:
        first = await address(task, "Registry.Example.org")
        assert await address(task, "registry.example.org.") == first
        assert await address(task, "example.org") != first
        assert await ask(task.resolver, "registry.example.org", AAAA) == (0, [])
        assert await ask(task.resolver, "registry.example.org", HTTPS) == (0, [])
        assert await ask(task.resolver, "localhost") == (0, ["127.0.0.1"])
        assert await ask(task.resolver, "a.localhost", AAAA) == (0, ["::1"])
        assert await ask(task.resolver, "1.0.0.127.in-addr.arpa", PTR) == (3, [])
        assert await ask(task.resolver, "bad name.example") == (3, [])


async def test_looking_a_name_up_tells_nobody(tmp_path: Path) -> None:
    """A message in a name gets no further than to this program: nothing is said to the gateway."""
    async with way_out(tmp_path, Policy()) as way, inside(tmp_path) as task:
        for number in range(50):
            await address(task, f"secret-{number}.evil.example")
        assert not way.records
        assert not way.asked


async def test_many_names_cost_little(tmp_path: Path) -> None:
    """Old names lose their addresses, so that a program that draws names leaves others theirs."""
    port = free_port()
    async with way_out(tmp_path, Policy()), inside(tmp_path, port) as task:
        first = await address(task, "first.example")
        found = {await address(task, f"n{number}.example") for number in range(600)}
        assert len(found) == 600
        status = Path(f"/proc/{task.process.pid}/fd")
        assert len(list(status.iterdir())) < 400
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(first, port)


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x15\x03\x03\x00\x02\x02\x31"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"ctui network allow evil.example:%d\n"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", b"ctui network allow evil.example:%d\r\n"),
    ],
)
async def test_a_refusal_is_said_in_the_protocol_that_is_spoken(
    tmp_path: Path, first: bytes, says: bytes
) -> None:
    """TLS is told by an alert, HTTP by a 403 with the line, anything else by the line alone."""
    port = free_port()
    async with way_out(tmp_path, Policy()) as way, inside(tmp_path, port) as task:
        reader, writer = await asyncio.open_connection(await address(task, "evil.example"), port)
        writer.write(first)
        assert (await reader.read()).endswith(says % port if b"%" in says else says)
        writer.close()
        assert [(one.host, one.port) for one in way.asked] == [("evil.example", port)]


async def test_tls_clients_say_that_access_is_denied(tmp_path: Path) -> None:
    port = free_port()
    async with way_out(tmp_path, Policy()), inside(tmp_path, port) as task:
        where = await address(task, "evil.example")
        context = ssl.create_default_context()
        with pytest.raises(ssl.SSLError, match="ACCESS_DENIED"):
            await asyncio.open_connection(where, port, ssl=context, server_hostname="evil.example")


async def test_the_proxy_is_the_gateways(tmp_path: Path) -> None:
    """curl, as it is, through the proxy's address: what is named is there, the rest is refused."""
    pages = Pages()
    async with (
        serving(pages) as port,
        way_out(tmp_path, private(port)),
        inside(tmp_path) as task,
    ):
        for url, status, text in (
            (f"http://localhost:{port}/x", "200", "hello"),
            ("http://evil.example/", "403", "ctui network allow evil.example"),
        ):
            process = await asyncio.create_subprocess_exec(
                *("curl", "-sS", "--noproxy", "", "-x", f"http://127.0.0.1:{task.proxy}"),
                *("-w", "%{http_code}", url),
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await process.communicate()
            assert said.decode().endswith(status)
            assert text in said.decode()


async def test_a_gateway_that_is_away_is_waited_for_and_then_said(tmp_path: Path) -> None:
    """One that comes back within seconds is noticed by nobody."""
    pages = Pages()
    async with serving(pages) as port, inside(tmp_path) as task:
        reader, writer = await asyncio.open_connection("127.0.0.1", task.proxy)
        writer.write(
            f"GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
        )
        async with way_out(tmp_path, private(port)):
            assert (await reader.read()).endswith(b"hello\n")
        writer.close()


async def test_a_service_outside_has_an_address_of_its_own(tmp_path: Path) -> None:
    """What `network.json` says counts, and never leads out of its folder."""
    port = free_port()
    services = [{"address": "127.0.0.9", "port": port, "socket": "../x/db.sock"}, {"bad": 1}, 7]
    (tmp_path / "network.json").write_text(json.dumps({"services": services}))

    async def serve(connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, b"db says " + await loop.sock_recv(connection, 100))

    acceptor = Acceptor(listen_unix(tmp_path / "db.sock"), serve, limit=2)
    async with inside(tmp_path):
        reader, writer = await asyncio.open_connection("127.0.0.9", port)
        writer.write(b"hello")
        assert await reader.read() == b"db says hello"
        writer.close()
    await acceptor.close()


async def test_a_named_hosts_port_answers_as_soon_as_it_is_named(tmp_path: Path) -> None:
    """A client of a database knows no proxy: its host is there by name, at its own port."""
    async with (
        serving(echo) as port,
        way_out(tmp_path, Policy()) as way,
        inside(tmp_path) as task,
    ):
        where = await address(task, "host")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(where, port)
        way.policy = private(port, host="host")
        way.server.recheck()
        assert await address(task, "host") == where
        reader, writer = await asyncio.open_connection(where, port)
        writer.write(b"select 1")
        assert await reader.readexactly(8) == b"select 1"
        writer.close()


async def test_what_a_task_has_taken_is_not_taken_from_it(tmp_path: Path) -> None:
    """A server of the task at a port of names keeps it; everything else works."""
    async with serving(echo) as port, way_out(tmp_path, Policy()), inside(tmp_path, port) as task:
        where = await address(task, "example.org")
        assert where.startswith("127.64.")
        with socket.socket() as taken:
            taken.bind(("0.0.0.0", 0))  # noqa: S104 - as servers in tasks do
            taken.listen()
            async with inside(tmp_path, taken.getsockname()[1]) as second:
                await address(second, "example.org")
                assert second.process.returncode is None


@given(st.binary(max_size=64))
def test_no_message_breaks_the_resolver(data: bytes) -> None:
    names = part("names")
    for one in (data, message("a.b") + data, message("a.b")[:-1] + data):
        asked = names.question(one)
        if asked is not None:
            assert len(names.answer(asked, b"\x7f\x40\0\1")) <= len(one) + 16


def test_odd_questions_get_no_answer() -> None:
    names = part("names")
    good = message("example.org")
    assert names.question(good).name == "example.org"
    two = struct.pack(">6H", 7, 0x0100, 2, 0, 0, 0) + good[12:] * 2
    pointer = good[:12] + b"\xc0\x0c" + good[-4:]
    other_class = good[:-2] + b"\0\3"
    response = good[:2] + b"\x81\x80" + good[4:]
    for odd in (b"", good[:11], good[:-1], two, pointer, other_class, response):
        assert names.question(odd) is None
    long = names.question(message(".".join(["a" * 63] * 5)))
    assert long.name == ""


def test_what_listens_is_read_from_the_kernels_tables() -> None:
    listening = part("listening")
    lines = (
        "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 11 1",
        "   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 12 1",
        "   2: 0100007F:0C38 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 13 1",
        "   3: 0100007F:1F90 0100007F:ABCD 01 00000000:00000000 00:00000000 00000000  1000 0 14 1",
        f"   4: {'0' * 24}01000000:1435 {'0' * 32}:0000 0A 0:0 00:0 0  1000 0 15 1",
        f"   5: {'0' * 32}:1436 {'0' * 32}:0000 0A 0:0 00:0 0  1000 0 16 1",
        "short",
    )
    assert listening.ports(lines, {13}) == [
        (3000, "127.0.0.1"),
        (8080, "127.0.0.1"),
        (5173, "::1"),
        (5174, "::1"),
    ]


# -- the relay, which keeps it alive


def network_of(relay: Relay) -> int | None:
    """Return the process beside the CLI, if there is one."""
    children = Path(f"/proc/{relay.process.pid}/task").glob("*/children")
    for child in " ".join(file.read_text() for file in children).split():
        command = Path(f"/proc/{child}/cmdline")
        if b"network.main" in command.read_bytes():
            return int(child)
    return None


def test_a_task_without_a_gateway_has_no_such_program(tmp_path: Path) -> None:
    relay = Relay([sys.executable, "-c", ECHO], tmp_path)
    relay.send(FIRST)
    assert relay.said()["ctui_relay"] == "started"
    relay.send(b'{"a": 1}\n')
    assert relay.line() == b'{"a": 1}\n'
    assert network_of(relay) is None
    relay.end()


async def test_it_is_there_before_the_cli_and_again_after_a_kill(tmp_path: Path) -> None:
    """Its descriptors are its own: none of the relay's streams is among them."""
    folder, proxy = tmp_path / "gw", free_port()
    folder.mkdir()
    launcher = (
        "import runpy, sys; relay = sys.argv[1]; sys.argv[1:] = sys.argv[2:];"
        f"sys.path.insert(0, relay); import beside, pathlib;"
        f"beside.Network.__init__.__defaults__ = (pathlib.Path({str(folder)!r}),);"
        f"beside._CODE = beside._CODE.replace('int(sys.argv[3])',"
        f" 'int(sys.argv[3]), proxy=(\"127.0.0.1\", {proxy})');"
        "runpy.run_path(relay, run_name='__main__')"
    )
    relay = Relay([sys.executable, "-c", ECHO], tmp_path, launcher)
    relay.send(FIRST)
    assert (await asyncio.to_thread(relay.said))["ctui_relay"] == "started"
    pages = Pages()
    async with serving(pages) as port, way_out(folder, private(port)):
        request = f"GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"
        for _ in range(2):
            reader, writer = await opened(proxy)
            writer.write(request.encode())
            assert (await reader.read()).endswith(b"hello\n")
            writer.close()
            pid = network_of(relay)
            assert pid is not None
            ends = {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()}
            assert len([one for one in ends if one.startswith("pipe:")]) == 1
            alive = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
            await asyncio.to_thread(select.select, [alive], [], [])
            os.close(alive)
    relay.send(b'{"a": 1}\n')
    assert await asyncio.to_thread(relay.line) == b'{"a": 1}\n'
    relay.end()


async def opened(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect as soon as somebody listens."""
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
