"""The way out of a run: real connections through its socket to real servers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ctui.errors import Unavailable
from ctui.gateway.egress.policy import Attempt, Mode, Policy, PrivateHost, rule_of
from ctui.gateway.egress.proxy import EgressServer
from ctui.gateway.egress.upstream import Upstream, Upstreams
from tests.gateway.egress.outside import (
    PAGE,
    Pages,
    certificates,
    echo,
    private,
    serving,
    way_out,
)


async def never() -> bool:
    """Be a person who does not answer."""
    await asyncio.Event().wait()
    return True


async def test_a_named_host_is_reached_and_what_went_there_is_counted(tmp_path: Path) -> None:
    """A tunnel passes bytes both ways as they come, and ends when both sides have ended."""
    async with serving(echo) as port, way_out(tmp_path, private(port)) as way:
        head, (reader, writer) = await way.connect(f"localhost:{port}")
        assert head.startswith(b"HTTP/1.1 200 ")
        writer.write(b"ping")
        assert await reader.readexactly(4) == b"ping"
        writer.write_eof()
        assert await reader.read() == b""
        [record] = await way.over()
        assert (record.verdict, record.up, record.down) == ("allowed", 4, 4)
        assert (record.host, record.port, record.rule) == (
            "localhost",
            port,
            f"private localhost:{port}",
        )
        assert [one.over for one in way.records] == [False, True]
        assert len({one.key for one in way.records}) == 1
        writer.close()


async def test_what_nobody_named_is_refused_in_one_line_that_says_what_helps(
    tmp_path: Path,
) -> None:
    async with way_out(tmp_path, Policy()) as way:
        answer = await way.say(
            b"CONNECT registry.example.org:443 HTTP/1.1\r\nHost: x\r\n"
            b"User-Agent: npm/10.2 node/v24\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 403 ")
        line = b"registry.example.org:443 is not allowed; the person can say: "
        assert line + b"ctui network allow registry.example.org\n" in answer
        assert way.asked == [Attempt("registry.example.org", 443, "npm")]
        [record] = await way.over()
        assert (record.verdict, record.rule) == ("refused", "nobody has named it")


async def test_the_line_is_in_the_status_too_where_most_clients_show_it(tmp_path: Path) -> None:
    async with way_out(tmp_path, Policy()) as way:
        head, (_, writer) = await way.connect("db.example.org:5432")
        assert b"ctui network allow db.example.org:5432\r\n" in head.split(b"X-Ctui")[0]
        writer.close()


async def test_a_connection_waits_while_a_person_is_asked(tmp_path: Path) -> None:
    """Two connections to one host ask once, and both go on when it is allowed."""
    asked = asyncio.Event()
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def person(_: Attempt) -> bool:
        asked.set()
        return await answer

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lead to whatever host is wanted, as the person's own proxy does."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await echo(reader, writer)

    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(proxy))
        upstreams = Upstreams(https=Upstream("http", "127.0.0.1", port))
        policy = Policy(hold=30)
        way = await stack.enter_async_context(way_out(tmp_path, policy, upstreams=upstreams))
        way.answer = person
        both = [asyncio.create_task(way.connect("asked.example:443")) for _ in range(2)]
        await asked.wait()
        way.policy = Policy(allow=(rule_of("asked.example"),))
        answer.set_result(True)
        for task in both:
            head, (_, writer) = await task
            assert head.startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert len(way.asked) == 1


async def test_what_was_denied_meanwhile_stays_denied(tmp_path: Path) -> None:
    """An answer that comes late allows nothing against a rule that came before it."""
    async with way_out(tmp_path, Policy(hold=30)) as way:

        async def person(_: Attempt) -> bool:
            way.policy = Policy(deny=(rule_of("evil.example", ports=()),))
            return True

        way.answer = person
        head, (_, writer) = await way.connect("evil.example:443")
        assert head.startswith(b"HTTP/1.1 403 ")
        assert b"deny evil.example:* (person)" in head
        writer.close()


async def test_nobody_answers(tmp_path: Path) -> None:
    """After the time that the policy says, the connection is refused."""
    async with way_out(tmp_path, Policy(hold=0.05)) as way:

        async def person(_: Attempt) -> bool:
            return await never()

        way.answer = person
        head, (_, writer) = await way.connect("slow.example:443")
        assert head.startswith(b"HTTP/1.1 403 ")
        writer.close()


async def test_who_leaves_while_somebody_is_asked_frees_the_connection(tmp_path: Path) -> None:
    async with way_out(tmp_path, Policy(hold=60), connections=1) as way:
        asked = asyncio.Event()

        async def person(_: Attempt) -> bool:
            asked.set()
            return await never()

        way.answer = person
        _, writer = await way.open()
        writer.write(b"CONNECT slow.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        await asked.wait()
        writer.close()
        [record] = await way.over()
        assert (record.verdict, record.rule) == ("failed", "it was cut off")


async def test_a_flood_of_names_is_not_a_flood_of_questions(tmp_path: Path) -> None:
    """A task that wants a hundred hosts at once asks for a few of them; the rest is refused."""
    late = asyncio.Event()
    async with way_out(tmp_path, Policy(hold=100)) as way:

        async def person(_: Attempt) -> bool:
            return not await late.wait()

        way.answer = person
        tasks = [asyncio.create_task(way.connect(f"n{n}.example:443")) for n in range(100)]
        for number, answered in enumerate(asyncio.as_completed(tasks), 1):
            head, (_, writer) = await answered
            assert head.startswith(b"HTTP/1.1 403 ")
            writer.close()
            if number == 100 - 16:
                assert len(way.asked) == 16
                late.set()
        assert len(way.asked) == 16


async def test_what_is_denied_later_is_cut(tmp_path: Path) -> None:
    """A rule that comes while a tunnel is open ends it; one for another host does not."""
    async with serving(echo) as port, way_out(tmp_path, private(port)) as way:
        _, (reader, writer) = await way.connect(f"localhost:{port}")
        for host in ("evil.example", "localhost"):
            writer.write(b"ping")
            assert await reader.readexactly(4) == b"ping"
            deny = (rule_of(host, ports=()),)
            way.policy = Policy(private=way.policy.private, deny=deny)
            way.server.recheck()
        assert await reader.read() == b""
        [record] = await way.over()
        assert (record.rule, record.up, record.down) == ("it was cut off", 8, 8)
        writer.close()


async def test_http_1_0_needs_no_host(tmp_path: Path) -> None:
    pages = Pages()
    async with serving(pages) as port, way_out(tmp_path, private(port)) as way:
        answer = await way.say(f"GET http://localhost:{port}/ HTTP/1.0\r\n\r\n".encode())
        assert answer.endswith(b"hello\n")
        assert f"Host: localhost:{port}\r\n" in pages.heads[0]


async def test_plain_http_goes_on_in_the_form_that_a_server_expects(tmp_path: Path) -> None:
    """What was for the proxy alone stays there; the rest is as it was written."""
    pages = Pages()
    async with serving(pages) as port, way_out(tmp_path, private(port)) as way:
        answer = await way.say(
            f"GET http://LOCALHOST:{port}/a/b?c=d HTTP/1.1\r\nHost: localhost:{port}\r\n"
            "Accept: */*\r\nX-Own: yes\r\nProxy-Authorization: Basic eA==\r\n"
            "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nProxy-Connection: keep-alive\r\n"
            "\r\n".encode()
        )
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nhello\n")
        [head] = pages.heads
        assert head.split("\r\n")[:-2] == [
            "GET /a/b?c=d HTTP/1.1",
            f"Host: localhost:{port}",
            "Accept: */*",
            "X-Own: yes",
            "Connection: close",
        ]


async def test_a_body_is_passed_on_in_chunks_or_by_its_length(tmp_path: Path) -> None:
    got: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await (
            reader.readuntil(b"0\r\n\r\n") if b"chunked" in head else reader.readexactly(5)
        )
        got.append(body)
        writer.write(PAGE)

    async with serving(take) as port, way_out(tmp_path, private(port)) as way:
        start = f"POST http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n".encode()
        chunks = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        for one in (
            b"Content-Length: 5\r\n\r\nabcde",
            b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        ):
            assert b"200 OK" in await way.say(start + one)
        assert got == [b"abcde", chunks]


async def test_a_server_that_answers_before_it_has_read_all_is_heard(tmp_path: Path) -> None:
    async def full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with serving(full) as port, way_out(tmp_path, private(port)) as way:
        reader, writer = await way.open()
        writer.write(
            f"POST http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n"
            "Content-Length: 100000000\r\n\r\n".encode()
        )
        assert b" 413 " in await reader.readline()
        writer.close()


async def test_websockets_without_tls_become_a_tunnel(tmp_path: Path) -> None:
    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Upgrade: websocket\r\n" in head
        assert b"Connection: Upgrade\r\n" in head
        writer.write(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nearly")
        await echo(reader, writer)

    async with serving(upgrade) as port, way_out(tmp_path, private(port)) as way:
        reader, writer = await way.open()
        writer.write(
            f"GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"early"
        writer.write(b"frame")
        assert await reader.readexactly(5) == b"frame"
        writer.close()


async def test_tls_goes_through_untouched(tmp_path: Path) -> None:
    """The client sees the server's own certificate, and nobody else reads what it says."""
    tls = certificates(tmp_path, "localhost")
    pages = Pages()
    async with serving(pages, tls.server) as port, way_out(tmp_path, private(port)) as way:
        head, (reader, writer) = await way.connect(f"localhost:{port}")
        assert b" 200 " in head
        await writer.start_tls(tls.client, server_hostname="localhost")
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await reader.read() == PAGE
        [record] = await way.over()
        assert not record.anomaly
        writer.close()


async def test_the_network_can_be_closed_and_open(tmp_path: Path) -> None:
    """Closed is closed for named hosts too; open still means public ones only."""
    async with serving(echo) as port, way_out(tmp_path, private(port, mode=Mode.CLOSED)) as way:
        head, (_, writer) = await way.connect(f"localhost:{port}")
        assert b" 403 " in head
        assert b"the network is closed" in head
        writer.close()
        way.policy = Policy(mode=Mode.OPEN)
        head, (_, writer) = await way.connect(f"localhost:{port}")
        assert b" 403 " in head
        assert b"into a private network" in head
        assert not way.asked
        writer.close()


async def test_a_name_that_is_none_and_a_host_that_does_not_answer_say_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        policy = Policy(
            private=(PrivateHost("no-such-name.invalid", 443), PrivateHost("localhost", port))
        )
        async with way_out(tmp_path, policy) as way:
            head, (_, writer) = await way.connect("no-such-name.invalid:443")
            assert head.startswith(b"HTTP/1.1 502 ctui: no-such-name.invalid:443: there is no such")
            writer.close()
            head, (_, writer) = await way.connect(f"localhost:{port}")
            assert head.startswith(f"HTTP/1.1 502 ctui: localhost:{port}: it does not".encode())
            writer.close()
            assert [one.verdict for one in await way.over(2)] == ["failed", "failed"]


async def test_the_socket_is_made_anew_and_goes_with_the_server(tmp_path: Path) -> None:
    """What an earlier gateway left there is replaced; a path that is too long for bind works."""
    folder = tmp_path / ("f" * 90)
    folder.mkdir()
    (folder / "egress.sock").write_text("left")
    async with way_out(folder, Policy()) as way:
        assert way.path.is_socket()
        assert way.path.stat().st_mode & 0o777 == 0o666
        with contextlib.chdir(folder):
            reader, writer = await asyncio.open_unix_connection("egress.sock")
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
    assert not list(folder.iterdir())
    server = EgressServer(tmp_path / "none" / "s", Policy, way.ask, way.record)
    with pytest.raises(Unavailable, match="cannot be made"):
        await server.start()


async def test_closing_cuts_what_is_open(tmp_path: Path) -> None:
    """When a run ends, nothing of it goes on outside."""
    async with serving(echo) as port:
        async with way_out(tmp_path, private(port)) as way:
            _, (reader, writer) = await way.connect(f"localhost:{port}")
        assert await reader.read() == b""
        assert [one.verdict for one in way.records] == ["allowed", "failed"]
        writer.close()
