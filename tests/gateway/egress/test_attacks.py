"""What a hostile task says to its way out: each row of the attack table, over the real socket."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.gateway.egress.policy import Mode, Policy, PrivateHost, rule_of
from tests.gateway.egress.outside import (
    PAGE,
    Pages,
    certificates,
    echo,
    private,
    serving,
    way_out,
)
from tests.gateway.egress.test_hello import hello
from tests.gateway.inside import inside


@pytest.mark.parametrize("mode", [Mode.ALLOW, Mode.OPEN])
@pytest.mark.parametrize(
    "where",
    [
        *("127.0.0.1", "localhost", "LOCALHOST.", "0.0.0.0", "[::1]", "[::]", "host"),  # noqa: S104
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
        *("[2001:0:4136:e378:8000:63bf:80ff:fffe]", "169.254.169.254", "[fd00:ec2::254]"),
        *("10.0.0.1", "172.17.0.1", "172.18.0.2", "192.168.1.1", "100.100.100.200"),
        *("[fe80::1]", "224.0.0.1", "255.255.255.255"),
    ],
)
async def test_no_address_of_the_host_or_its_networks(
    tmp_path: Path, where: str, mode: Mode
) -> None:
    """The host, its neighbours and metadata services, in every form; nobody is asked for them."""
    async with serving(echo) as port, way_out(tmp_path, Policy(mode=mode)) as way:
        if where in {"localhost", "LOCALHOST."} and mode is Mode.ALLOW:
            way.allowed = True  # a person who says yes to a name has not said yes to its address
        head, (_, writer) = await way.connect(f"{where}:{port}")
        assert head.startswith(b"HTTP/1.1 403 "), head
        assert b"into a private network" in head
        writer.close()
        [record] = await way.over()
        assert record.verdict == "refused"
        assert "localhost" in where.lower() or not way.asked


@pytest.mark.parametrize(
    "where",
    [
        *("127.1:80", "0x7f.0.0.1:80", "2130706433:80", "0177.0.0.1:80", "127.0.0.1.:80x"),
        *("[::1%lo]:80", "[fe80::1%25eth0]:80", "localhost", "localhost:", "localhost:0"),
        *("localhost:65536", "localhost:80:80", "::1:80", "a@localhost:80", "localhost/x:80"),
        *("xn--a.example:443", "..:443", "a..b:443", ":443", "http://localhost:80"),
    ],
)
async def test_no_name_that_somebody_could_read_in_another_way(tmp_path: Path, where: str) -> None:
    async with way_out(tmp_path, Policy(mode=Mode.OPEN)) as way:
        answer = await way.say(f"CONNECT {where} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert not way.records


async def test_a_rule_holds_for_each_way_of_writing_a_name(tmp_path: Path) -> None:
    """Upper case, a trailing dot, Unicode and punycode are the same host, also for a denial."""
    policy = Policy(mode=Mode.OPEN, deny=(rule_of("bücher.example", ports=()),))
    async with way_out(tmp_path, policy) as way:
        for where in ("xn--bcher-kva.example", "XN--Bcher-KVA.Example", "xn--bcher-kva.example."):
            head, (_, writer) = await way.connect(f"{where}:443")
            assert b" 403 " in head
            assert b"deny xn--bcher-kva.example:* (person)" in head
            writer.close()
        answer = await way.say("CONNECT bücher.example:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 400 ")  # a request is ASCII


async def test_the_gateways_own_ports_are_not_reached_even_if_named(tmp_path: Path) -> None:
    """A view or a control port of the gateway itself is nothing that a task may speak with."""
    async with serving(echo) as port:
        policy = Policy(private=(PrivateHost("host", port), PrivateHost("localhost", port)))
        async with way_out(tmp_path, policy, own_ports={port}) as way:
            for where in ("host", "localhost"):
                head, (_, writer) = await way.connect(f"{where}:{port}")
                assert head.startswith(b"HTTP/1.1 403 ")
                writer.close()
        async with way_out(tmp_path, policy) as way:
            head, (_, writer) = await way.connect(f"host:{port}")
            assert head.startswith(b"HTTP/1.1 200 ")
            writer.close()


async def test_another_name_inside_tls_is_cut_and_recorded(tmp_path: Path) -> None:
    """A front's address is no way to the hosts behind it, however its hello is cut."""
    tls = certificates(tmp_path, "localhost", "evil.example")
    pages = Pages()
    async with serving(pages, tls.server) as port, way_out(tmp_path, private(port)) as way:
        _, (_, writer) = await way.connect(f"localhost:{port}")
        with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            await writer.start_tls(tls.client, server_hostname="evil.example")
        writer.close()
        _, (reader, writer) = await way.connect(f"localhost:{port}")
        for byte in hello("evil.example"):
            writer.write(bytes([byte]))
        assert await reader.read() == b"\x15\x03\x03\x00\x02\x02\x70"
        writer.close()
        _, (reader, writer) = await way.connect(f"localhost:{port}")
        writer.write(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff")
        assert await reader.read() == b"\x15\x03\x03\x00\x02\x02\x70"
        writer.close()
        assert [one.anomaly for one in await way.over(3)] == [
            "SNI: evil.example",
            "SNI: evil.example",
            "no ClientHello",
        ]
        assert not pages.heads


async def test_what_waits_with_its_hello_gets_nothing_through(tmp_path: Path) -> None:
    """Bytes are held back until the name is known; a server may speak first."""
    async with serving(_greet_and_tell) as port, way_out(tmp_path, private(port)) as way:
        _, (reader, writer) = await way.connect(f"localhost:{port}")
        assert await reader.readexactly(5) == b"hello"
        data = hello("localhost")
        writer.write(data[:-1])
        _, (other, second) = await way.connect(f"localhost:{port}")
        assert await other.readexactly(5) == b"hello"
        second.write(b"x")
        assert await other.readexactly(2) == b"1\n"
        writer.write(data[-1:])
        told = await reader.readline()
        assert int(told) == len(data)
        writer.close()
        second.close()


async def _greet_and_tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    writer.write(b"%d\n" % len(await reader.read(65536)))
    await reader.read()


async def test_another_host_inside_http_is_refused_and_recorded(tmp_path: Path) -> None:
    pages = Pages()
    async with serving(pages) as port, way_out(tmp_path, private(port)) as way:
        for host in ("evil.example", f"localhost:{port + 1}", "", "a b", "localhost@evil.example"):
            answer = await way.say(
                f"GET http://localhost:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
            )
            assert answer.startswith(b"HTTP/1.1 403 "), host
            assert b"and no other host" in answer
        assert {one.anomaly for one in await way.over(5)} == {
            f"Host: evil.example:{port}",
            f"Host: localhost:{port + 1}",
            "Host: unreadable",
        }
        assert not pages.heads


async def test_smuggled_requests_reach_nobody(tmp_path: Path) -> None:
    """Two lengths, two hosts, odd line ends and spaces: what can be read in two ways is refused."""
    pages = Pages()
    async with serving(pages) as port, way_out(tmp_path, private(port)) as way:
        first = f"POST http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n".encode()
        for rest in (
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / \r\n\r\n",
            b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            b"Content-Length: +5\r\n\r\nabcde",
            b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            b"Host: evil.example\r\n\r\n",
            b"X: a\0b\r\n\r\n",
            b"X : a\r\n\r\n",
            b"\r\nX\r\n\r\n",
        ):
            answer = await way.say(first + rest)
            if not answer.startswith(b"HTTP/1.1 400 "):
                assert answer.count(b"HTTP/1.1 ") == 1, rest
        for start in (
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET https://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET http://a:b@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET http:///etc HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET HTTP/1.1\r\n\r\n",
            b"\x05\x01\x00" * 30 + b"\r\n\r\n",
            b"\x16\x03\x01\x02\x00\r\n\r\n",
        ):
            assert (await way.say(start)).startswith(b"HTTP/1.1 400 "), start
        assert all(head.count("HTTP/1.1") == 1 for head in pages.heads)


async def test_one_connection_is_one_request(tmp_path: Path) -> None:
    """What comes behind a request is not passed on: it could be for another host."""
    pages = Pages()
    async with serving(pages) as port, way_out(tmp_path, private(port)) as way:
        one = f"GET http://localhost:{port}/1 HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
        answer = await way.say(one + one.replace(b"/1 ", b"/2 "))
        assert answer.count(b"HTTP/1.1 200") == 1
        assert [head.split()[1] for head in pages.heads] == ["/1"]


async def test_a_redirect_is_another_decision(tmp_path: Path) -> None:
    """curl follows an allowed host's answer to one that nobody named, and gets no further."""
    pages = Pages()
    async with serving(pages) as second:
        location = f"Location: http://127.0.0.1:{second}/\r\n\r\n"
        moved = Pages(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n" + location.encode())
        async with (
            serving(moved) as port,
            way_out(tmp_path, private(port)) as way,
            inside(tmp_path) as task,
        ):
            process = await asyncio.create_subprocess_exec(
                *("curl", "-sSL", "--noproxy", "", "-w", "%{http_code}"),
                *("-x", f"http://127.0.0.1:{task.proxy}", f"http://localhost:{port}/"),
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await process.communicate()
            assert said.endswith(b"403")
            assert not pages.heads
            assert [one.verdict for one in await way.over(2)] == ["allowed", "refused"]


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have as many connections as the test opens."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
async def test_a_thousand_connections_cost_only_the_task_that_opens_them(tmp_path: Path) -> None:
    """Beyond its share a task is told so at once; another one's way is free."""
    (tmp_path / "other").mkdir()
    async with (
        serving(echo) as port,
        way_out(tmp_path, private(port)) as way,
        way_out(tmp_path / "other", private(port)) as other,
        inside(tmp_path) as task,
    ):
        held: list[asyncio.StreamWriter] = []

        async def client() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", task.proxy)
            writer.write(f"CONNECT localhost:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readline()
            if b" 200 " in head:
                held.append(writer)
            else:
                writer.close()
            return head

        heads = await asyncio.gather(*(client() for _ in range(1000)))
        assert len(held) == 256
        full = b"HTTP/1.1 503 ctui: too many connections of this task are open\r\n"
        assert heads.count(full) == 744
        head, (_, writer) = await other.connect(f"localhost:{port}")
        assert b" 200 " in head
        for one in [*held, writer]:
            one.close()
        await way.over(256)
        assert b" 200 " in await client()
        held[-1].close()


async def test_who_tries_every_host_is_slowed_down(tmp_path: Path) -> None:
    """A hundred refusals come at once, the next ones at twenty a second."""
    async with way_out(tmp_path, Policy(mode=Mode.CLOSED)) as way:

        async def refused(number: int) -> float:
            head, (_, writer) = await way.connect(f"n{number}.example:443")
            assert b" 403 " in head
            writer.close()
            return asyncio.get_running_loop().time()

        begun = asyncio.get_running_loop().time()
        times = sorted([one - begun for one in await asyncio.gather(*map(refused, range(130)))])
        assert times[99] < 4  # 5 at twenty a second
        assert times[129] > 1.4


async def test_who_says_nothing_or_too_much_is_let_go(tmp_path: Path) -> None:
    """A slow head, a silent tunnel, and a head without an end."""
    async with (
        serving(echo) as port,
        way_out(tmp_path, private(port), head=0.2, idle=0.2) as way,
    ):
        assert (await way.say(b"CONNECT local")).startswith(b"HTTP/1.1 408 ")
        _, (reader, writer) = await way.connect(f"localhost:{port}")
        assert await reader.read() == b""
        writer.close()
        reader, writer = await way.open()
        writer.write(b"GET http://x/ HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
        assert b" 400 " in await reader.readline()
        writer.close()


async def test_a_slow_reader_costs_one_portion(tmp_path: Path) -> None:
    """A server that sends for ever waits for its reader: nothing is kept in between."""
    sent = 0

    async def forever(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with serving(forever) as port, way_out(tmp_path, private(port), idle=0.5) as way:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            await loop.sock_connect(client, str(way.path))
            await loop.sock_sendall(
                client, f"CONNECT localhost:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            )
            [record] = await way.over()  # nobody reads: it is idle, and cut
            assert record.down < 2_000_000
            assert sent < 20_000_000


async def test_a_slow_writer_holds_nothing_up(tmp_path: Path) -> None:
    """A body that never comes is waited for as long as a silent tunnel."""
    async with serving(Pages(PAGE)) as port, way_out(tmp_path, private(port), idle=0.3) as way:
        answer = await way.say(
            f"POST http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n"
            "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n".encode()
        )
        assert b" 200 OK" in answer or b" 502 " in answer


_FLOOD = """
import os, socket, sys, time
end = time.monotonic() + 2
with socket.socket(socket.AF_UNIX) as one:
    one.connect(sys.argv[1])
    one.sendall(sys.argv[2].encode().decode("unicode_escape").encode())
    os.fork()
    try:
        while time.monotonic() < end:
            one.sendall(b"1\\r\\nx\\r\\n" * 30_000)
    except OSError:
        pass
"""


@pytest.mark.parametrize("served", [False, True])
async def test_who_never_stops_talking_stops_nobody(tmp_path: Path, served: bool) -> None:
    """Behind a request that was refused, and in one that goes on: others have their turn."""
    async with serving(_swallow) as port, way_out(tmp_path, private(port)) as way:
        begin = f"POST http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n"
        said = f"{begin}Transfer-Encoding: chunked\r\n\r\n" if served else "GET x HTTP/1.1\r\n\r\n"
        words = said.encode("unicode_escape").decode()
        flood = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _FLOOD, str(way.path), words
        )
        ending = asyncio.ensure_future(flood.wait())
        longest, last = 0.0, time.monotonic()
        while not ending.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(ending), 0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert longest < 0.5


async def _swallow(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1 << 20):
        pass


async def test_trailers_of_many_lines_hold_nobody_up(tmp_path: Path) -> None:
    """Behind a body there are as few as in a head: a request with more of them is cut."""
    async with serving(_taken_whole) as port, way_out(tmp_path, private(port)) as way:
        begin = f"POST http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n"
        head = begin.encode() + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
        streams = [await asyncio.open_unix_connection(way.path) for _ in range(60)]
        began = time.process_time()
        for _, writer in streams:
            writer.write(head + b"A:\r\n" * 12_000 + b"\r\n")
        for reader, writer in streams:
            with contextlib.suppress(ConnectionError):
                assert (await reader.readline()).startswith(b"HTTP/1.1 502 ")
            writer.close()
        assert time.process_time() - began < 2


async def _taken_whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.write(PAGE)
    await writer.drain()


async def test_heads_of_many_lines_hold_nobody_up(tmp_path: Path) -> None:
    """All that a task can have open end theirs at once: none of them is taken apart."""
    head = b"CONNECT a.example.org:443 HTTP/1.1\r\nHost: a\r\n" + b"A:\r\n" * 12_000
    async with way_out(tmp_path, Policy()) as way:
        streams = [await asyncio.open_unix_connection(way.path) for _ in range(200)]
        for _, writer in streams:
            writer.write(head)
            await writer.drain()
        began = time.process_time()
        for _, writer in streams:
            writer.write(b"\r\n")
        for reader, writer in streams:
            with contextlib.suppress(ConnectionError):
                assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
            writer.close()
        assert time.process_time() - began < 2
        assert not way.asked
