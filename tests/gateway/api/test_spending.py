"""Budgets, prices and books: what a run may spend, and whose each call is."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from ctui.gateway.model import Login
from tests.gateway.api.conftest import CALL, SECRET, Open, Serve, key
from tests.gateway.upstream import COST, EVENT_STREAM, WHOLE, Reply, Seen


async def test_calls_at_once_do_not_spend_a_budget_many_times(
    open_gate: Open, serve: Serve
) -> None:
    """What could go beyond it waits for the others, and is refused if these spent it."""
    go_on, came = asyncio.Event(), asyncio.Semaphore(0)

    async def answer(_seen: Seen, reply: Reply) -> None:
        came.release()
        await reply.head(200, EVENT_STREAM)
        await go_on.wait()
        await reply.part(WHOLE)
        await reply.end()

    server = await serve(answer)
    gate = await open_gate(key(server), budget=COST)
    calls = [asyncio.ensure_future(gate.post()) for _ in range(20)]
    for _ in range(3):
        await came.acquire()
    async with gate.client() as client:  # one that leaves while it waits is in nobody's way
        with pytest.raises(httpx2.ReadTimeout):
            await client.post("/v1/messages", content=CALL, timeout=0.5)
    assert (
        len(server.seen) == 3
    )  # of 100 tokens at most each, which is what the budget has room for
    go_on.set()
    statuses = sorted([(await one).status_code for one in calls])
    assert statuses == [200] * 3 + [400] * 17
    assert len(await gate.calls()) == len(server.seen) == 3


async def test_a_spent_budget_ends_the_turn(open_gate: Open, serve: Serve) -> None:
    """400 has the CLI stop at once with these words; requests by hand are refused as well."""
    server = await serve()
    gate = await open_gate(key(server), budget=COST)
    assert (await gate.post()).status_code == 200
    got = await gate.post()
    assert got.status_code == 400
    assert got.json() == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "ctui: the task's budget of $0.01 is spent ($0.01)",
        },
    }
    assert len(server.seen) == 1


async def test_a_model_whose_price_nobody_knows_is_dear_and_said(
    open_gate: Open, serve: Serve
) -> None:
    """A budget is rather reached too early; by the name of the answer it may be known after all."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        whole = WHOLE.replace(b"claude-sonnet-5", b"corp-model-7")
        await reply.whole(200, whole, EVENT_STREAM)

    gate = await open_gate(key(await serve(answer)))
    await gate.post(CALL.replace(b"claude-sonnet-5", b"corp-model-7"))
    [row] = await gate.calls()
    assert row.ending is not None
    assert row.ending.dollars == pytest.approx(5 * COST)
    assert [(event.kind, event.text) for event in gate.anomalies] == [
        ("price", "nobody knows what 'corp-model-7' costs")
    ]


async def test_without_a_record_no_call_is_sent(open_gate: Open, serve: Serve) -> None:
    """Where the books cannot be written, the task waits: a kill would lose what a call cost."""
    server = await serve()
    gate = await open_gate(key(server))
    gate.books._writer._books.execute("PRAGMA query_only = 1")
    got = await gate.post()
    assert (got.status_code, got.headers["retry-after"]) == (503, "10")
    assert "not on record" in got.json()["error"]["message"]
    assert server.seen == []
    gate.books._writer._books.execute("PRAGMA query_only = 0")
    assert (await gate.post()).status_code == 200


async def test_calls_of_two_runs_are_not_mixed_up(open_gate: Open, serve: Serve) -> None:
    """Each socket has its own login and budget, whatever the requests say."""
    server = await serve()
    login = Login("other", "bearer", "other-token", base_url=server.url)
    one, other = await open_gate(key(server)), await open_gate(login, budget=0.0)
    assert (await one.post()).status_code == 200
    assert (await other.post()).status_code == 400
    assert [seen.header("x-api-key") for seen in server.seen] == [SECRET]


async def test_a_mistake_is_logged_without_its_words(
    open_gate: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of a library may quote a header; where it happened is enough to find it."""
    gate = await open_gate(Login("k", "api-key", SECRET))

    async def receive() -> Any:
        raise RuntimeError(SECRET)

    async def send(_: Any) -> None:
        raise AssertionError

    scope = {
        "type": "http",
        "state": {"place": gate.place},
        "headers": [],
        "method": "POST",
        "path": "/v1/messages",
        "raw_path": b"/v1/messages",
        "query_string": b"",
    }
    with pytest.raises(RuntimeError):
        await gate.api(scope, receive, send)
    assert "RuntimeError at app.py:" in caplog.text
    assert SECRET not in caplog.text
