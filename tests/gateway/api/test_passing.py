"""Calls to the model through a run's socket: what arrives, comes back, and is written down."""

from __future__ import annotations

import asyncio

import pytest

from ctui.gateway.model import Login
from tests.gateway.api.conftest import CALL, PLACEHOLDER, SECRET, Open, Serve, key
from tests.gateway.upstream import (
    COST,
    DELTA,
    END,
    EVENT_STREAM,
    START,
    STOP,
    WHOLE,
    Reply,
    Seen,
    sse,
)


async def test_the_credential_is_replaced_and_all_else_arrives(
    open_gate: Open, serve: Serve
) -> None:
    """The body is the same to the byte, and so is each header but the credential's."""
    server = await serve()
    gate = await open_gate(key(server))
    body = '{"model": "claude-sonnet-5",\n "x": "ü  "}'.encode()
    async with gate.client() as client:
        answer = await client.post(
            "/v1/messages?beta=true",
            content=body,
            headers={"anthropic-beta": "a-1,b-2", "x-stainless-lang": "js", "User-Agent": "cli/2"},
        )
    assert (answer.status_code, answer.content) == (200, WHOLE)
    [seen] = server.seen
    assert (seen.method, seen.target, seen.body) == ("POST", "/v1/messages?beta=true", body)
    assert seen.header("x-api-key") == SECRET
    assert seen.header("authorization") is None
    assert seen.header("anthropic-beta") == "a-1,b-2"
    assert (seen.header("user-agent"), seen.header("x-stainless-lang")) == ("cli/2", "js")
    assert seen.header("anthropic-version") == "2023-06-01"
    assert PLACEHOLDER not in repr(seen)


async def test_a_stream_comes_event_by_event(open_gate: Open, serve: Serve) -> None:
    """Each event is there before the API sends the next one."""
    go_on = asyncio.Queue[None]()

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.head(200, EVENT_STREAM)
        for event in (START, DELTA, DELTA, END, STOP):
            await reply.part(sse(event))
            await go_on.get()
        await reply.end()

    gate = await open_gate(key(await serve(answer)))
    came: list[bytes] = []
    async with gate.client() as client, client.stream("POST", "/v1/messages", content=CALL) as got:
        async for data in got.aiter_raw():
            came.append(data)
            go_on.put_nowait(None)
    assert came == [sse(event) for event in (START, DELTA, DELTA, END, STOP)]


async def test_the_cost_is_the_api_s_own_count(open_gate: Open, serve: Serve) -> None:
    """Input, both kinds of cache and output at the model's price, as the books have it."""
    gate = await open_gate(key(await serve()))
    await gate.post()
    [row] = await gate.calls()
    assert row.ending is not None
    assert row.ending.dollars == pytest.approx(COST)
    assert (row.ending.status, row.ending.whole, row.ending.down) == (200, True, len(WHOLE))
    assert (row.ending.usage.cache_write, row.ending.usage.cache_write_1h) == (100, 200)
    assert (row.call.run, row.call.task, row.call.model) == (
        "task-a/1",
        "task-a",
        "claude-sonnet-5",
    )
    assert (row.call.login, row.call.up) == ("the key", len(CALL))
    assert gate.books.spent("task-a") == pytest.approx(COST)
    assert [event.dollars for event in gate.spent] == [pytest.approx(COST)]
    [request] = await gate.requests()
    assert (request.host, request.verdict, request.credential) == (
        "127.0.0.1",
        "allowed",
        "the key",
    )
    assert (request.up, request.down, request.over) == (len(CALL), len(WHOLE), True)


async def test_a_whole_message_is_counted_too(open_gate: Open, serve: Serve) -> None:
    """An answer that is no stream has its usage in one object."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        body = (
            b'{"model":"claude-haiku-4-5-20251001","usage":{"input_tokens":10,"output_tokens":4}}'
        )
        await reply.whole(200, body, [(b"content-type", b"application/json")])

    gate = await open_gate(key(await serve(answer)))
    got = await gate.post()
    assert got.json()["usage"]["output_tokens"] == 4
    [row] = await gate.calls()
    assert row.ending is not None
    assert row.ending.dollars == pytest.approx(30e-6)


@pytest.mark.parametrize("status", [400, 404, 413, 429, 500, 503, 529])
async def test_errors_of_the_api_come_untouched(open_gate: Open, serve: Serve, status: int) -> None:
    """Status, headers and body are the API's own, and they cost nothing."""
    headers = [
        (b"content-type", b"application/json"),
        (b"retry-after", b"17"),
        (b"anthropic-ratelimit-unified-reset", b"1234"),
        (b"request-id", b"req_1"),
    ]

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.whole(status, b'{"type":"error"}', headers)

    gate = await open_gate(key(await serve(answer)))
    got = await gate.post()
    assert (got.status_code, got.content) == (status, b'{"type":"error"}')
    for name, value in headers:
        assert got.headers[name.decode()] == value.decode()
    [row] = await gate.calls()
    assert row.ending is not None
    assert (row.ending.status, row.ending.dollars, row.ending.whole) == (status, 0.0, True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/messages/"),
        ("POST", "//v1/messages"),
        ("POST", "/v1/messages%2fcount_tokens"),
        ("POST", "/v1/x/../messages"),
        ("GET", "/v1/messages"),
        ("POST", "/v1/files"),
        ("GET", "/v1/organizations/me"),
        ("DELETE", "/v1/models"),
        ("POST", "/model/claude/invoke"),
        ("POST", "http://evil.example/v1/messages"),
    ],
)
async def test_nothing_else_is_passed_on(
    open_gate: Open, serve: Serve, method: str, path: str
) -> None:
    """The API has more, such as files that can be uploaded: a task gets to none of it."""
    server = await serve()
    gate = await open_gate(key(server))
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    answer = await gate.raw(head.encode())
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert server.seen == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/models"), ("POST", "/v1/messages/count_tokens")]
)
async def test_what_costs_nothing_is_passed_on_whatever_is_spent(
    open_gate: Open, serve: Serve, method: str, path: str
) -> None:
    """Models are listed and tokens counted without a call on record; the request outside is."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.whole(200, b'{"input_tokens":3}')

    gate = await open_gate(key(await serve(answer)), budget=0.0)
    async with gate.client() as client:
        assert (await client.request(method, path)).status_code == 200
    assert await gate.calls() == []
    assert len(await gate.requests()) == 1


async def test_the_cli_may_look_whether_somebody_is_there(open_gate: Open) -> None:
    """Its first request is a HEAD, which is answered also while there is no login."""
    gate = await open_gate()
    async with gate.client() as client:
        assert (await client.head("/")).status_code == 200


async def test_a_subscription_s_token_has_its_beta(open_gate: Open, serve: Serve) -> None:
    """OAuth wants a beta that a key must not have; the others stay in their order."""
    server = await serve()
    for kind, secret in (("oauth", "sk-ant-oat01-x"), ("bearer", "corp-token")):
        login = Login(kind, kind, secret, base_url=server.url)  # type: ignore[arg-type]
        gate = await open_gate(login)
        async with gate.client() as client:
            sent = {"anthropic-beta": "claude-code-20250219,oauth-2025-01-01,x-1"}
            await client.post("/v1/messages", content=CALL, headers=sent)
            await client.post("/v1/messages", content=CALL)
    with_beta, alone, bearer, bearer_alone = server.seen
    assert with_beta.header("authorization") == "Bearer sk-ant-oat01-x"
    assert with_beta.header("anthropic-beta") == "claude-code-20250219,x-1,oauth-2025-04-20"
    assert alone.header("anthropic-beta") == "oauth-2025-04-20"
    assert bearer.header("authorization") == "Bearer corp-token"
    assert bearer.header("anthropic-beta") == "claude-code-20250219,x-1"
    assert bearer_alone.header("anthropic-beta") is None
    assert {seen.header("x-api-key") for seen in server.seen} == {None}


async def test_a_company_s_gateway_has_its_own_path_and_headers(
    open_gate: Open, serve: Serve
) -> None:
    """What the task itself sends in those headers is dropped."""
    server = await serve()
    login = Login(
        *("corp", "bearer", "t"),
        base_url=f"{server.url}/anthropic/",
        headers=(("X-Team", "blue"), ("x-corp-key", "k")),
    )
    gate = await open_gate(login)
    async with gate.client() as client:
        await client.post("/v1/messages", content=CALL, headers={"x-team": "red"})
    [seen] = server.seen
    assert seen.target == "/anthropic/v1/messages"
    assert (seen.header("x-team"), seen.header("x-corp-key")) == ("blue", "k")


async def test_answers_set_no_cookie(open_gate: Open, serve: Serve) -> None:
    """A cookie of the API is as good as a credential; nor does a task's own get there."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.whole(200, b"{}", [(b"set-cookie", b"session=1"), (b"request-id", b"r")])

    server = await serve(answer)
    gate = await open_gate(key(server))
    async with gate.client() as client:
        got = await client.post("/v1/messages", content=CALL, headers={"cookie": "a=b"})
        await client.post("/v1/messages", content=CALL)
    assert "set-cookie" not in got.headers
    assert got.headers["request-id"] == "r"
    assert [seen.header("cookie") for seen in server.seen] == [None, None]


async def test_a_redirect_is_not_followed(open_gate: Open, serve: Serve) -> None:
    """The credential goes to the address that it is for, and to no other."""
    other = await serve()

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.whole(307, b"", [(b"location", f"{other.url}/v1/messages".encode())])

    gate = await open_gate(key(await serve(answer)))
    got = await gate.post()
    assert got.status_code == 400
    assert "redirect" in got.json()["error"]["message"]
    assert other.seen == []
