"""Calls that end in their middle, on either side, and what is booked of them."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from ctui.gateway.model import Login
from tests.gateway.api.conftest import CALL, HEAD, SECRET, Open, Serve, key
from tests.gateway.upstream import DELTA, EVENT_STREAM, START, Reply, Seen, sse


async def test_a_client_that_goes_away_is_booked_and_ends_the_call(
    open_gate: Open, serve: Serve
) -> None:
    """In the middle of a stream: what it was charged so far is in the books."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.head(200, EVENT_STREAM)
        await reply.part(sse(START, DELTA))
        await asyncio.Event().wait()

    server = await serve(answer)
    gate = await open_gate(key(server))
    async with gate.client() as client, client.stream("POST", "/v1/messages", content=CALL) as got:
        async for _ in got.aiter_raw():
            break
    async with asyncio.timeout(10):
        await server.gone.wait()
    [row] = await gate.ended(1)
    assert (row.ending.whole, row.ending.usage.input_tokens) == (False, 1000)
    assert row.ending.dollars > 0
    assert gate.books.spent("task-a") == pytest.approx(row.ending.dollars)


async def test_a_client_that_goes_away_before_the_answer_is_booked_by_estimate(
    open_gate: Open, serve: Serve
) -> None:
    """The API has the request, and charges for it."""
    came = asyncio.Event()

    async def answer(_seen: Seen, _reply: Reply) -> None:
        came.set()
        await asyncio.Event().wait()

    server = await serve(answer)
    gate = await open_gate(key(server))
    asking = asyncio.ensure_future(gate.post(CALL + b" " * 40_000))
    await came.wait()
    asking.cancel()
    async with asyncio.timeout(10):
        await server.gone.wait()
    [row] = await gate.ended(1)
    assert (row.ending.status, row.ending.whole) == (0, False)
    assert row.ending.usage.input_tokens > 10_000
    assert [request.verdict for request in await gate.requests()] == ["allowed"]


async def test_a_client_that_goes_away_before_its_call_is_sent_pays_nothing(
    open_gate: Open, serve: Serve
) -> None:
    """While the books are slow to take it; nor does the next start take it for a cut one."""
    server = await serve()
    gate = await open_gate(key(server))
    with sqlite3.connect(gate.folder / "network.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        asking = asyncio.ensure_future(gate.post())
        async with asyncio.timeout(10):
            while not gate.place.calls:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        asking.cancel()
        async with asyncio.timeout(10):
            while gate.place.calls:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        other.execute("ROLLBACK")
    other.close()
    [row] = await gate.ended(1)
    assert (row.ending.dollars, row.ending.status) == (0.0, 0)
    assert server.seen == []


async def test_a_stream_that_the_api_cuts_is_cut_here_too(open_gate: Open, serve: Serve) -> None:
    """A torn answer must not look like one that is over."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.head(200, EVENT_STREAM)
        await reply.part(sse(START, DELTA))
        reply.cut()

    gate = await open_gate(key(await serve(answer)))
    body = f"{HEAD}content-length: {len(CALL)}\r\nconnection: close\r\n\r\n".encode() + CALL
    got = await gate.raw(body)
    assert DELTA in got
    assert not got.endswith(b"0\r\n\r\n")
    [row] = await gate.calls()
    assert row.ending is not None
    assert (row.ending.whole, row.ending.usage.input_tokens) == (False, 1000)


async def test_an_api_that_is_not_there_is_waited_for(open_gate: Open) -> None:
    """503 and no 529: the CLI comes again ten times, and nothing is booked."""
    gate = await open_gate(Login("k", "api-key", SECRET, base_url="http://127.0.0.1:9"))
    got = await gate.post()
    assert (got.status_code, got.headers["retry-after"]) == (503, "5")
    assert "Claude cannot be reached (ConnectError)" in got.json()["error"]["message"]
    [row] = await gate.calls()
    assert row.ending is not None
    assert (row.ending.dollars, row.ending.status) == (0.0, 0)
    assert [request.verdict for request in await gate.requests()] == ["failed"]
