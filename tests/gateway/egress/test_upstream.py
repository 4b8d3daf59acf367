"""The person's own proxies: HTTP with a password and SOCKS5, and what is never left to them."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ctui.gateway.egress.names import BadName, Target
from ctui.gateway.egress.policy import Mode, Policy, rule_of
from ctui.gateway.egress.upstream import Upstream, Upstreams, upstreams_of
from tests.gateway.egress.outside import PAGE, Pages, serving, way_out


async def _answer_of(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass one request on, and what is said to it."""
    there, back = await asyncio.open_connection("127.0.0.1", port)
    try:
        back.write(await reader.read(1 << 16))
        writer.write(await there.read())
    finally:
        back.close()
        await back.wait_closed()


class HttpProxy:
    """A proxy as companies have it: by name, with a password; all names lead to one server."""

    def __init__(self, port: int) -> None:
        self.heads: list[str] = []
        self._port = port

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        right = base64.b64encode(b"ada:p@ss:word").decode()
        if f"Proxy-Authorization: Basic {right}\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if not head.startswith("CONNECT "):
            writer.write(PAGE)
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _answer_of(self._port, reader, writer)


class SocksProxy:
    """A SOCKS5 proxy (RFC 1928) with a password, that tells which host it was asked for."""

    def __init__(self, port: int) -> None:
        self.hosts: list[str] = []
        self._port = port

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x02")
        for expected in (b"\x01\x03ada", b"\x09p@ss:word"):
            if await reader.readexactly(len(expected)) != expected:
                writer.write(b"\x01\x01")
                return
        writer.write(b"\x01\x00")
        kind = (await reader.readexactly(4))[3]
        size = {1: 4, 3: 0, 4: 16}[kind] or (await reader.readexactly(1))[0]
        host = await reader.readexactly(size)
        port = struct.unpack(">H", await reader.readexactly(2))[0]
        self.hosts.append(f"{host.decode() if kind == 3 else '.'.join(map(str, host))}:{port}")
        writer.write(b"\x05\0\0\x01\0\0\0\0\0\0")
        await _answer_of(self._port, reader, writer)


@asynccontextmanager
async def http_proxy(pages: Pages) -> AsyncIterator[tuple[HttpProxy, Upstream]]:
    async with serving(pages) as there:
        proxy = HttpProxy(there)
        async with serving(proxy) as port:
            yield proxy, Upstream("http", "127.0.0.1", port, "ada", "p@ss:word")


NAMED = Policy(allow=(rule_of("named.invalid"), rule_of("named.invalid:22")))


async def test_named_hosts_go_through_a_companys_proxy_by_name(tmp_path: Path) -> None:
    """Its network may know names that are not known here, and its own rules are by name."""
    pages = Pages()
    async with http_proxy(pages) as (proxy, upstream):
        upstreams = Upstreams(https=upstream, http=upstream)
        async with way_out(tmp_path, NAMED, upstreams=upstreams) as way:
            head, (reader, writer) = await way.connect("named.invalid:443")
            assert b" 200 " in head
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await reader.read() == PAGE
            writer.close()
            plain = await way.say(
                b"GET http://named.invalid/x HTTP/1.1\r\nHost: named.invalid\r\n\r\n"
            )
            assert plain.endswith(b"hello\n")
            assert proxy.heads[0].startswith("CONNECT named.invalid:443 HTTP/1.1\r\n")
            assert proxy.heads[1].startswith("GET http://named.invalid/x HTTP/1.1\r\n")
            assert [one.verdict for one in await way.over(2)] == ["allowed", "allowed"]


@pytest.mark.parametrize("method", ["TRACE", "track"])
async def test_a_proxys_password_does_not_come_back(tmp_path: Path, method: str) -> None:
    """A proxy that is asked to echo a request would echo what the gateway has added to it."""
    where = "http://named.invalid/ HTTP/1.1\r\nHost: named.invalid\r\nMax-Forwards: 0\r\n\r\n"
    async with (
        http_proxy(Pages()) as (proxy, upstream),
        way_out(tmp_path, NAMED, upstreams=Upstreams(http=upstream)) as way,
    ):
        said = await way.say(f"{method} {where}".encode())
        assert said.startswith(b"HTTP/1.1 400 ")
        assert proxy.heads == []


async def test_a_password_that_is_wrong_is_said_and_never_shown(tmp_path: Path) -> None:
    async with http_proxy(Pages()) as (_, upstream):
        wrong = Upstream("http", upstream.host, upstream.port, "ada", "secret-word")
        async with way_out(tmp_path, NAMED, upstreams=Upstreams(https=wrong)) as way:
            head, (reader, writer) = await way.connect("named.invalid:443")
            assert head.startswith(b"HTTP/1.1 502 ctui: named.invalid:443: the proxy ")
            assert b"407" in head
            writer.close()
            assert "secret-word" not in repr((way.records, wrong, head, await reader.read()))
        nobody = Upstream("socks5", "127.0.0.1", 1)
        async with way_out(tmp_path, NAMED, upstreams=Upstreams(https=nobody)) as way:
            head, (_, writer) = await way.connect("named.invalid:443")
            assert b"the proxy socks5://127.0.0.1:1 does not answer" in head
            writer.close()


async def test_named_hosts_go_through_socks(tmp_path: Path) -> None:
    async with serving(Pages()) as there:
        proxy = SocksProxy(there)
        async with serving(proxy) as port:
            upstream = Upstream("socks5", "127.0.0.1", port, "ada", "p@ss:word")
            upstreams = Upstreams(https=upstream, http=upstream)
            async with way_out(tmp_path, NAMED, upstreams=upstreams) as way:
                head, (reader, writer) = await way.connect("named.invalid:22")
                assert b" 200 " in head
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                assert await reader.read() == PAGE
                writer.close()
                plain = await way.say(
                    b"GET http://named.invalid/x HTTP/1.1\r\nHost: named.invalid\r\n\r\n"
                )
                assert plain.endswith(b"hello\n")
                assert proxy.hosts == ["named.invalid:22", "named.invalid:80"]


async def test_a_proxy_is_no_way_around_the_rules(tmp_path: Path) -> None:
    """What is refused is refused before it; what nobody named is checked here, or not reached."""
    async with http_proxy(Pages()) as (proxy, upstream):
        upstreams = Upstreams(https=upstream, http=upstream)
        policy = Policy(mode=Mode.OPEN, deny=(rule_of("evil.example", ports=()),))
        async with way_out(tmp_path, policy, upstreams=upstreams) as way:
            for where, status in (
                ("evil.example:443", b"403"),
                ("localhost:443", b"403"),
                ("10.0.0.1:443", b"403"),
                ("known-to-the-proxy-only.invalid:443", b"502"),
            ):
                head, (_, writer) = await way.connect(where)
                assert head.split()[1] == status, head
                writer.close()
            way.policy = Policy(allow=(rule_of("localhost"),))
            head, (_, writer) = await way.connect("localhost:443")
            assert head.split()[1] == b"403"
            writer.close()
            assert proxy.heads == []
            way.policy = Policy(mode=Mode.OPEN)
            _, (_, writer) = await way.connect("1.1.1.1:443")
            assert proxy.heads[0].startswith("CONNECT 1.1.1.1:443 ")
            writer.close()


def test_the_persons_variables_are_read_as_others_read_them() -> None:
    found = upstreams_of(
        {
            "HTTPS_PROXY": "http://ada:p%40ss@proxy.example:3128",
            "http_proxy": "proxy.example",
            "NO_PROXY": "localhost, .corp.example,10.0.0.0/8,*.lab.example intranet:8080",
        }
    )
    assert found.https == Upstream("http", "proxy.example", 3128, "ada", "p@ss")
    assert found.http == Upstream("http", "proxy.example", 8080)
    for host, direct in {
        "a.corp.example": True,
        "corp.example": True,
        "notcorp.example": False,
        "x.lab.example": True,
        "intranet": True,
        "10.1.2.3": True,
        "11.1.2.3": False,
        "example.org": False,
    }.items():
        assert (host, found.of(Target(host, 443)) is None) == (host, direct)
    assert upstreams_of({"ALL_PROXY": "socks5h://p"}).http == Upstream("socks5", "p", 1080)
    assert upstreams_of({"ALL_PROXY": "socks5://p", "NO_PROXY": "*"}).of(Target("a", 1)) is None
    assert upstreams_of({}) == Upstreams()
    for wrong in ("ftp://proxy.example", "http://", "http://a:b", "http://exa mple:1"):
        with pytest.raises(BadName):
            upstreams_of({"HTTPS_PROXY": wrong})
