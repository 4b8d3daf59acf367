"""Runs that ask for too much, or too slowly: others have their turn, and memory its bounds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest

from ctui.gateway.api import server as server_module
from ctui.gateway.api.request import MOST_BODY
from ctui.gateway.model import Login
from tests.gateway.api.conftest import CALL, HEAD, PLACEHOLDER, SECRET, Open, Serve, key
from tests.gateway.upstream import EVENT_STREAM, START, WHOLE, Reply, Seen, sse


async def test_a_thousand_connections_of_a_run_leave_the_others_alone(
    open_gate: Open, serve: Serve
) -> None:
    """Beyond its own number they get 503 and are closed; another run's call is as quick as ever."""
    login = key(await serve())
    bad, good = await open_gate(login), await open_gate(login)
    open_ones = [await asyncio.open_unix_connection(bad.socket) for _ in range(1000)]
    assert (await good.post()).content == WHOLE
    most = server_module.LIMITS.connections
    refused = 0
    async with asyncio.timeout(20):
        for reader, _ in open_ones[most:]:
            refused += (await reader.read()).startswith(b"HTTP/1.1 503 ")
    assert refused == 1000 - most
    assert [event.kind for event in bad.anomalies] == ["connections"]
    for _, writer in open_ones:
        writer.close()
    async with asyncio.timeout(20):
        while (await bad.post()).status_code == 503:  # noqa: ASYNC110 - until they are seen to end
            await asyncio.sleep(0.02)


async def test_heads_of_many_lines_hold_nobody_up(open_gate: Open, serve: Serve) -> None:
    """A run's connections end theirs at once: none of them is taken apart."""
    gate = await open_gate(key(await serve()))
    head = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n" + b"a:\r\n" * 12_000
    streams = [await asyncio.open_unix_connection(gate.socket) for _ in range(60)]
    began = time.process_time()
    for _, writer in streams:
        writer.write(head + b"\r\n")
    for reader, writer in streams:
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        writer.close()
    assert time.process_time() - began < 2


async def test_trailers_of_many_lines_hold_nobody_up(open_gate: Open, serve: Serve) -> None:
    """What follows a body is bounded as a head is; some lines are there, and are no matter."""
    gate = await open_gate(key(await serve()))
    head = b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    head += b"authorization: Bearer " + PLACEHOLDER.encode() + b"\r\nconnection: close\r\n\r\n"
    head += b"%x\r\n%s\r\n0\r\n" % (len(CALL), CALL)
    assert (await gate.raw(head + b"a:\r\n" * 200 + b"\r\n")).startswith(b"HTTP/1.1 200 ")
    streams = [await asyncio.open_unix_connection(gate.socket) for _ in range(60)]
    began = time.process_time()
    for _, writer in streams:
        writer.write(head + b"a:\r\n" * 12_000 + b"\r\n")
    for reader, writer in streams:
        with contextlib.suppress(ConnectionError):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        writer.close()
    assert time.process_time() - began < 2


async def test_requests_of_many_parts_hold_nobody_up(open_gate: Open, serve: Serve) -> None:
    """To look through one takes a second of the processor: others' calls go on meanwhile."""
    gate = await open_gate(key(await serve()))
    body = b'{"messages": [' + b'{"a":{}},' * 150_000 + b'{"type":"url"}]}'
    calls = [asyncio.ensure_future(gate.post(body)) for _ in range(3)]
    longest, last = 0.0, time.thread_time()
    while not all(call.done() for call in calls):
        await asyncio.sleep(0.001)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    assert {call.result().status_code for call in calls} == {200}
    assert longest < 0.2


async def test_a_body_that_is_too_large_is_not_held(open_gate: Open, serve: Serve) -> None:
    """By its length it is refused at once; without one, as soon as it is too much."""
    server = await serve()
    gate = await open_gate(key(server))
    said = await gate.raw(
        f"{HEAD}content-length: {MOST_BODY + 1}\r\nconnection: close\r\n\r\n".encode()
    )
    assert said.startswith(b"HTTP/1.1 413 ")
    reader, writer = await asyncio.open_unix_connection(gate.socket)
    writer.write(f"{HEAD}transfer-encoding: chunked\r\n\r\n".encode())
    chunk = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
    sent = 0
    with_answer = asyncio.ensure_future(reader.readline())
    while not with_answer.done() and sent < 60:
        writer.write(chunk)
        await writer.drain()
        sent += 1
    assert (await with_answer).startswith(b"HTTP/1.1 413 ")
    assert sent <= (MOST_BODY >> 20) + 8
    writer.close()
    assert server.seen == []
    async with asyncio.timeout(10):
        while gate.held.now:  # noqa: ASYNC110 - the connection has no event for it
            await asyncio.sleep(0.01)


async def test_many_large_bodies_of_a_run_do_not_fill_the_memory(
    open_gate: Open, serve: Serve
) -> None:
    """Each is allowed, all at once are not: the CLI is told to come again."""
    gate = await open_gate(key(await serve()))
    held = []
    for _ in range(3):
        _, writer = await asyncio.open_unix_connection(gate.socket)
        writer.write(f"{HEAD}content-length: {36 << 20}\r\n\r\n".encode() + b"x" * (30 << 20))
        await writer.drain()
        held.append(writer)
    async with asyncio.timeout(20):
        while gate.held.now < 90 << 20:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
    got = await gate.post(b"{}" + b" " * (8 << 20))
    assert (got.status_code, got.headers["retry-after"]) == (503, "2")
    for writer in held:
        writer.close()


@pytest.mark.parametrize("sent", ["", "POST /v1", HEAD, f"{HEAD}content-length: 9\r\n\r\nabc"])
async def test_who_does_not_go_on_is_cut_off(
    open_gate: Open, monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    """A connection, a head or a body that never ends costs nothing for long."""
    limits = server_module.LIMITS._replace(head=0.2, body=0.2)
    monkeypatch.setattr(server_module, "LIMITS", limits)
    gate = await open_gate(Login("k", "api-key", SECRET))
    assert await gate.raw(sent.encode()) == b""


async def test_who_does_not_read_holds_the_api_up_and_not_the_memory(
    open_gate: Open, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream waits, and is cut off on both sides when nothing is taken for too long."""
    sent = 0

    async def answer(_seen: Seen, reply: Reply) -> None:
        nonlocal sent
        await reply.head(200, EVENT_STREAM)
        await reply.part(sse(START))
        while True:
            await reply.part(b"x" * (1 << 16))
            sent += 1 << 16

    limits = server_module.LIMITS._replace(stall=0.5)
    monkeypatch.setattr(server_module, "LIMITS", limits)
    server = await serve(answer)
    gate = await open_gate(key(server))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(gate.socket))
        client.sendall(f"{HEAD}content-length: {len(CALL)}\r\n\r\n".encode() + CALL)
        async with asyncio.timeout(20):
            await server.gone.wait()
    assert sent < 32 << 20
    [row] = await gate.ended(1)
    assert not row.ending.whole
