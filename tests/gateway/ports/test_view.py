"""Ports of tasks in a browser: real servers, by the task's own side, through the view."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from ctui.errors import NotFound, Unavailable
from ctui.gateway.ports.forward import PortForward
from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.ports.view import PortView
from tests.gateway.egress.outside import Pages, certificates, echo, serving
from tests.gateway.inside import free_port
from tests.gateway.ports.views import LABEL, Answer, Browser, hub_with_task, viewing


async def test_an_address_opens_a_page_once_and_the_cookie_keeps_it_open(tmp_path: Path) -> None:
    """What a person is given works once; then the browser has a cookie for this port alone."""
    pages = Pages()
    async with (
        serving(pages) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        url = browser.view.link(LABEL, port)
        assert re.fullmatch(
            rf"http://{port}\.t1\.localhost:{browser.view.port}/\?ctui-key=[\w-]{{32}}", url
        )
        answer = await browser.enter(url)
        assert (answer.status, answer.header("location")) == (303, "/")
        assert re.fullmatch(
            r"ctui-port=\d+\.[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400",
            answer.header("set-cookie"),
        )
        page = url.partition("?")[0]
        assert (await browser.get(page)).body == b"hello\n"
        assert (await browser.get(f"{page}a/b?c=d")).status == 200
        assert pages.heads[1].startswith("GET /a/b?c=d HTTP/1.1\r\n")
        # Once more it leads on for who is in already, and nobody else.
        assert (await browser.get(url)).status == 303
        assert (await Browser(browser.view).enter(url)).status == 403


async def test_who_has_no_cookie_sees_nothing(tmp_path: Path) -> None:
    """Neither without one, nor with another one, nor with one for another port or task."""
    pages = Pages()
    async with (
        serving(pages) as port,
        serving(pages) as second,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub, "t2": hub.hub}) as browser,
    ):
        await hub.has(second)
        await browser.enter(browser.view.link(LABEL, port))
        [(host, right)] = browser.cookies.items()
        browser.cookies.clear()
        page = f"http://{host}/"
        told = await browser.get(page)
        assert told.status == 403
        assert told.body == (
            b"ctui: this page needs an address of yours: ctui task open NAME %d\n" % port
        )
        value = right.partition("=")[2]
        until, _, signature = value.partition(".")
        for wrong in ("", "x", f"{int(until) + 1}.{signature}", f"{until}.", f"9.{signature}"):
            assert (await browser.get(page, cookie=f"ctui-port={wrong}")).status == 403
        gate = browser.view.port
        for other in (f"{second}.t1.localhost:{gate}", f"{port}.t2.localhost:{gate}"):
            assert (await browser.get(f"http://{other}/", cookie=right)).status == 403
        assert not pages.heads
        assert (await browser.get(page, cookie=f"a=b; ctui-port=x; {right}")).status == 200
        # What lets somebody in is not told to the server that a task runs.
        assert "ctui-port" not in pages.heads[0]
        assert "Cookie: a=b\r\n" in pages.heads[0]


async def test_a_key_is_for_one_port_of_one_task(tmp_path: Path) -> None:
    async with (
        serving(Pages()) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub, "t2": hub.hub}) as browser,
    ):
        await hub.has(port)
        url = browser.view.link(LABEL, port)
        assert (await browser.enter(url.replace(".t1.", ".t2."))).status == 403
        assert (await browser.enter(url)).status == 403  # and used up by whoever tried


@pytest.mark.parametrize("secret", [b"s" * 32, None])
async def test_cookies_outlive_the_view_with_its_secret_only(
    tmp_path: Path, secret: bytes | None
) -> None:
    async with serving(Pages()) as port, hub_with_task(tmp_path) as hub:
        await hub.has(port)
        async with viewing({LABEL: hub.hub}, secret=secret) as browser:
            await browser.enter(browser.view.link(LABEL, port))
            [cookie] = browser.cookies.values()
        async with viewing({LABEL: hub.hub}, secret=secret) as browser:
            page = f"http://{port}.t1.localhost:{browser.view.port}/"
            assert (await browser.get(page, cookie=cookie)).status == (200 if secret else 403)


async def test_no_other_site_gets_in(tmp_path: Path) -> None:
    """Names that lead here are no addresses of tasks, and pages of others are no visitors."""
    async with (
        serving(Pages()) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port))
        [(host, cookie)] = browser.cookies.items()
        for name in (
            "evil.example",
            "localhost",
            "127.0.0.1",
            "t1.localhost",
            f"{port}.t1.localhost.evil.example",
            f"{port}.t1.evil.example",
            f"0{port}.t1.localhost",
            f"{port + 65536}.t1.localhost",
            f"{port}.x.t1.localhost",
        ):
            answer = await browser.get(f"http://{name}:{browser.view.port}/", cookie=cookie)
            assert (name, answer.status) == (name, 403)
        page = f"http://{host}/"
        for origin in ("http://evil.example", "null", f"http://{port}.t2.localhost", "http://["):
            assert (await browser.get(page, f"Origin: {origin}", method="POST")).status == 403
        same = f"Origin: http://5173.t1.localhost:{browser.view.port}"
        assert (await browser.get(page, same)).status == 200
        assert (await browser.get(page.replace("t1", "T1"), cookie=cookie)).status == 200


async def test_the_way_on_is_never_to_another_host(tmp_path: Path) -> None:
    async with (
        serving(Pages()) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        base = f"http://{port}.t1.localhost:{browser.view.port}"
        for path, leads in (
            ("//evil.example/", "/evil.example/"),
            ("/\\evil.example/", "/evil.example/"),
            ("/a?x=1&y=%26", "/a?x=1&y=%26"),
        ):
            key = browser.view.link(LABEL, port).partition("?")[2]
            url = f"{path}{'&' if '?' in path else '?'}{key}"
            raw = await browser.say(
                f"GET {url} HTTP/1.1\r\nHost: {urlsplit(base).netloc}\r\n\r\n".encode()
            )
            assert f"\r\nLocation: {leads}\r\n".encode() in raw


def body_lines(answer: Answer) -> list[str]:
    """Return the lines of the head that follows an early one."""
    return answer.body.decode("latin-1").split("\r\n")


async def test_a_page_of_a_task_keeps_to_its_own_site(tmp_path: Path) -> None:
    """It can neither set ctui's cookie nor one that other tasks' pages or ctui would get."""
    page = Pages(
        b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: early=b; Domain=localhost\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
        b'Clear-Site-Data: "cookies"\r\n'
        b"Set-Cookie: a=b; Domain=localhost; Path=/x\r\n"
        b"Set-Cookie: ctui-port=mine; Path=/\r\n\r\n"
    )
    async with (
        serving(page) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port))
        [host] = browser.cookies
        answer = await browser.get(f"http://{host}/")
        assert answer.status == 103
        said = [*answer.headers, *(one.partition(": ")[::2] for one in body_lines(answer))]
        assert [v for k, v in said if k.lower() == "set-cookie"] == ["early=b", "a=b; Path=/x"]
        assert "clear-site-data" not in str(said).lower()


async def test_websockets_come_from_the_tasks_own_pages_only(tmp_path: Path) -> None:
    async def talk(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(f"heard {message!r}")

    async with (
        serve(talk, "127.0.0.1", 0) as server,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        port = next(iter(server.sockets)).getsockname()[1]
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port))
        [(host, cookie)] = browser.cookies.items()

        def dial(origin: str | None, headers: dict[str, str]) -> connect:
            return connect(
                f"ws://{host}/",
                origin=None if origin is None else Origin(origin),
                additional_headers=headers,
                host="127.0.0.1",
                port=browser.view.port,
            )

        ours = {"Cookie": cookie}
        async with dial(f"http://{host}", ours) as client:
            await client.send("hot" * 100_000)
            assert await client.recv() == f"heard {'hot' * 100_000!r}"
        for origin, given in (
            ("http://evil.example", ours),
            (f"http://{port}.t2.localhost:{browser.view.port}", ours),
            (None, ours),
            (f"http://{host}", {}),
        ):
            with pytest.raises(InvalidStatus) as refused:
                await dial(origin, given)
            assert refused.value.response.status_code == 403


async def test_events_come_as_they_are_sent(tmp_path: Path) -> None:
    """Each event is there before the server sends the next one, and who leaves ends the stream."""
    said: asyncio.Queue[bytes] = asyncio.Queue()
    left = asyncio.Event()

    async def events(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        telling = asyncio.ensure_future(_tell(said, writer))
        assert await reader.read() == b""
        left.set()
        telling.cancel()

    async with (
        serving(events) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port))
        [(host, cookie)] = browser.cookies.items()
        reader, writer = await asyncio.open_connection("127.0.0.1", browser.view.port)
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        for one in (b"data: 1\n\n", b"data: 2\n\n"):
            said.put_nowait(one)
            assert one in await reader.readuntil(b"\n\n\r\n")
        writer.close()
        await left.wait()


async def _tell(said: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(await said.get())


async def test_a_browsers_connection_serves_many_requests(tmp_path: Path) -> None:
    """Requests of one connection go on by one connection, also with bodies both ways."""
    connections = 0

    async def many(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int((re.findall(rb"Content-Length: (\d+)", head) or [b"0"])[0])
            body = await reader.readexactly(size)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            if body:
                writer.write(b"%x\r\n%s\r\n" % (size, body))
            writer.write(b"0\r\n\r\n")

    async with (
        serving(many) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port))
        [(host, cookie)] = browser.cookies.items()
        reader, writer = await asyncio.open_connection("127.0.0.1", browser.view.port)
        for size in (3, 0, 60_000):
            writer.write(
                f"POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n"
                f"Content-Length: {size}\r\n\r\n".encode()
                + b"x" * size
            )
            answer = await reader.readuntil(b"0\r\n\r\n")
            assert answer.count(b"x") == size
        assert connections == 1
        writer.close()


async def test_a_port_that_is_no_page_says_so(tmp_path: Path) -> None:
    """One that speaks TLS, one that closes, one that is gone, one of another kind."""
    tls = certificates(tmp_path, "localhost")

    async def closes(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()

    async with hub_with_task(tmp_path) as hub, viewing({LABEL: hub.hub}) as browser:
        async with (
            serving(Pages(), tls.server) as secure,
            serving(closes) as closing,
            serving(greets) as mail,
        ):
            await hub.has(mail)
            for port, says in (
                (secure, "closed the connection without an answer; if it speaks TLS"),
                (closing, "closed the connection without an answer"),
                (mail, "speaks no HTTP"),
            ):
                await browser.enter(browser.view.link(LABEL, port))
                answer = await browser.get(f"http://{port}.t1.localhost:{browser.view.port}/")
                assert answer.status == 502
                assert answer.body.startswith(f"ctui: port {port} {says}".encode())
        await hub.has(mail, listening=False)
        answer = await browser.get(f"http://{mail}.t1.localhost:{browser.view.port}/")
        assert answer.status == 502
        assert b"nothing listens on port" in answer.body
        with pytest.raises(NotFound, match="nothing listens on port"):
            browser.view.link(LABEL, mail)
        with pytest.raises(NotFound, match="not running"):
            browser.view.link("nobody", mail)


async def test_an_answer_without_an_end_ends_with_its_reader(tmp_path: Path) -> None:
    """A server that sends for ever is read only as fast as the browser reads, and then left."""
    sent = 0
    ended = asyncio.Event()

    async def forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                sent += 65536
                await writer.drain()
        except OSError:
            ended.set()

    async with (
        serving(forever) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port))
        [(host, cookie)] = browser.cookies.items()
        reader, writer = await asyncio.open_connection("127.0.0.1", browser.view.port)
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())
        await reader.readexactly(10_000_000)
        writer.close()
        await ended.wait()
        assert sent < 60_000_000


async def test_two_tasks_have_the_same_port(tmp_path: Path) -> None:
    """Each answers at its own address, whatever the other one does."""
    async with (
        serving(Pages()) as port,
        hub_with_task(tmp_path / "1") as first,
        hub_with_task(tmp_path / "2") as second,
        viewing({"one": first.hub, "two": second.hub}) as browser,
    ):
        await first.has(port)
        await second.has(port)
        for label in ("one", "two"):
            await browser.enter(browser.view.link(label, port))
        assert len(set(browser.cookies.values())) == 2
        await first.hub.close()
        gate = browser.view.port
        assert (await browser.get(f"http://{port}.one.localhost:{gate}/")).status == 502
        assert (await browser.get(f"http://{port}.two.localhost:{gate}/")).status == 200


async def test_a_local_port_leads_to_a_tasks_port(tmp_path: Path) -> None:
    """Whatever is spoken there; and a local port that is taken says so."""
    async with serving(echo) as port, hub_with_task(tmp_path) as hub:
        await hub.has(port)
        forward = PortForward(hub.hub, port)
        await forward.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", forward.local)
        writer.write(b"\0binary\r\n" * 10_000)
        writer.write_eof()
        assert await reader.read() == b"\0binary\r\n" * 10_000
        writer.close()
        with pytest.raises(Unavailable, match=f"port {forward.local} of 127.0.0.1"):
            await PortForward(hub.hub, port, forward.local).start()
        await forward.close()
        nowhere = PortForward(hub.hub, free_port())
        await nowhere.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", nowhere.local)
        assert await reader.read() == b""
        writer.close()
        await nowhere.close()


async def test_a_local_port_is_for_its_own_user(tmp_path: Path) -> None:
    """Another user of the machine gets nothing, although the port is open to all."""
    if os.geteuid():
        pytest.skip("only root can be another user")
    say = (
        "import os, socket, sys; os.setuid(int(sys.argv[2]));"
        "one = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
        "one.sendall(b'ping'); one.shutdown(socket.SHUT_WR);"
        "os.write(1, one.recv(9))"
    )
    async with serving(echo) as port, hub_with_task(tmp_path) as hub:
        await hub.has(port)
        forward = PortForward(hub.hub, port)
        await forward.start()
        for uid, said in (("0", b"ping"), ("65534", b"")):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", say, str(forward.local), uid),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            assert (await process.communicate())[0] == said
        await forward.close()


async def test_an_address_that_cannot_be_read_is_no_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Any page can ask for one: it is refused, and leaves no line in the log."""
    async with viewing({}) as browser:
        host = f"3000.{LABEL}.localhost"
        said = await browser.say(f"GET //[ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert said.startswith(b"HTTP/1.1 400 ")
    assert not caplog.records


async def test_a_view_whose_port_is_taken_says_so() -> None:
    async with serving(echo) as port:
        with pytest.raises(Unavailable, match="cannot be used") as error:
            await PortView(port, dict[str, PortsHub]().get).start()
        assert "name another port" in error.value.hint


async def test_smuggled_requests_are_refused(tmp_path: Path) -> None:
    """What could be read in two ways is read in none."""
    pages = Pages()
    async with (
        serving(pages) as port,
        hub_with_task(tmp_path) as hub,
        viewing({LABEL: hub.hub}) as browser,
    ):
        await hub.has(port)
        await browser.enter(browser.view.link(LABEL, port))
        [(host, cookie)] = browser.cookies.items()
        start = f"POST / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n".encode()
        for rest in (
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x\r\n\r\n",
            b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            b"Host: other.example\r\n\r\n",
            b"X: a\0\r\n\r\n",
            b"X : a\r\n\r\n",
            b"X: a\nGET /x HTTP/1.1\r\n\r\n",
        ):
            raw = await browser.say(start + rest)
            assert raw.startswith(b"HTTP/1.1 400 "), rest
        assert not pages.heads
        assert (await browser.say(b"\x16\x03\x01\x02\x00\x01\r\n\r\n"))[9:12] == b"400"
