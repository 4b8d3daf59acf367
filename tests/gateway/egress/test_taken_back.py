"""Rules that are taken back while a connection is open by them: it ends, and no other does."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import msgspec
import pytest

from ctui.gateway.egress.names import Target
from ctui.gateway.egress.opened.credential import Credential
from ctui.gateway.egress.policy import Mode, Policy, Rule, rule_of
from ctui.gateway.egress.upstream import Upstream, Upstreams
from tests.gateway.egress.opened import VALUE, opened
from tests.gateway.egress.outside import (
    Pages,
    Streams,
    certificates,
    echo,
    private,
    serving,
    way_out,
)


async def _proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a proxy of the person's, by which every name leads to an echo."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await echo(reader, writer)


async def _echoes(streams: Streams) -> bool:
    """Return whether a tunnel is still open."""
    reader, writer = streams
    async with asyncio.timeout(30):
        try:
            writer.write(b"ping")
            return await reader.readexactly(4) == b"ping"
        except (asyncio.IncompleteReadError, ConnectionError):
            return False


async def test_a_host_that_is_forgotten_is_cut_and_one_that_was_allowed_once_is_not(
    tmp_path: Path,
) -> None:
    rules = Policy(allow=(rule_of("kept.invalid:22"), rule_of("gone.invalid:22")))
    async with serving(_proxy) as port:
        upstreams = Upstreams(https=Upstream("http", "127.0.0.1", port, "", ""))
        async with way_out(tmp_path, rules, upstreams=upstreams) as way:
            way.allowed = True
            names = ("kept", "gone", "once", "later")
            tunnels = {name: (await way.connect(f"{name}.invalid:22"))[1] for name in names}

            def allow(*rules: Rule) -> None:
                way.policy = Policy(allow=rules)
                way.server.recheck()

            # What somebody allows for good while it is open is open by that rule.
            allow(*rules.allow, rule_of("later.invalid:22"))
            assert [await _echoes(one) for one in tunnels.values()] == [True] * 4
            allow(rule_of("kept.invalid:22"))
            left = [name for name, one in tunnels.items() if await _echoes(one)]
            assert left == ["kept", "once"]
            for _, writer in tunnels.values():
                writer.close()


async def test_a_private_host_that_is_named_no_more_is_cut_in_an_open_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name alone would be allowed there, but nobody has looked at its address."""
    there = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: there)
    async with serving(echo) as port:
        named = private(port, host="registry.lan", mode=Mode.OPEN)
        async with way_out(tmp_path, named) as way:
            _, streams = await way.connect(f"registry.lan:{port}")
            assert await _echoes(streams)
            way.policy = Policy(mode=Mode.OPEN)
            way.server.recheck()
            assert not await _echoes(streams)
            streams[1].close()


@pytest.mark.parametrize("kind", ["credential", "sign"])
async def test_what_is_lent_no_more_is_cut(tmp_path: Path, kind: str) -> None:
    """The host may be reached all the same, without what was lent for it."""
    tls = certificates(tmp_path, "localhost")
    page = Pages(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
    async with serving(page if kind == "credential" else echo, tls.server) as port:
        lent = [Credential("localhost", port, "Authorization", "TOKEN", VALUE)]
        if kind == "sign":
            lent.clear()
        async with opened(tmp_path, port, tls, None, credentials=lambda: lent) as task:
            way = task.way
            if kind == "sign":
                sign = (Target("localhost", port),)
                way.policy = msgspec.structs.replace(way.policy, sign=sign)
            _, (reader, writer) = await way.connect(f"localhost:{port}")
            way.server.recheck()
            lent.clear()
            way.policy = msgspec.structs.replace(way.policy, sign=())
            way.server.recheck()
            async with asyncio.timeout(30):
                assert await reader.read() == b""
            [record] = await way.over()
            assert record.rule == "it was cut off"
            writer.close()
