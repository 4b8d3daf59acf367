"""A task that means harm at its socket: what it sends, opens, holds and tears."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import time
from typing import Any

import httpx2
import msgspec
import pytest

from ctui.gateway.api import server as server_module
from ctui.gateway.api.request import MOST_BODY
from ctui.gateway.egress.policy import Mode, Policy
from ctui.gateway.model import Login
from tests.gateway.api.conftest import CALL, PLACEHOLDER, SECRET, Gate, Open, Serve, key
from tests.gateway.upstream import COST, DELTA, EVENT_STREAM, START, WHOLE, Reply, Seen, sse

_HEAD = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {PLACEHOLDER}\r\n"


@pytest.mark.parametrize(
    "head",
    [
        "content-length: 3\r\ntransfer-encoding: chunked\r\n",
        "content-length: 3\r\ncontent-length: 4\r\n",
        "content-length: +3\r\n",
        "content-length: 3, 4\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding : chunked\r\n",
        "x-a: b\nx-api-key: c\r\n",
        "x-a: b\x00c\r\n",
        " folded: x\r\n",
        "content-length: 3\r\nhost: y\r\n",
    ],
)
async def test_a_request_that_can_be_read_in_two_ways_is_refused(
    open_gate: Open, serve: Serve, head: str
) -> None:
    """Nothing of it goes on: neither as one request nor as the second one hidden behind it."""
    server = await serve()
    gate = await open_gate(key(server))
    hidden = "0\r\n\r\nGET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n"
    answer = await gate.raw(f"{_HEAD}{head}connection: close\r\n\r\n{hidden}".encode("latin-1"))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert server.seen == []


async def test_headers_of_the_connection_and_of_credentials_do_not_get_there(
    open_gate: Open, serve: Serve
) -> None:
    """Nor can a task have ctui's own credential, or what the API needs, dropped on the way."""
    server = await serve()
    gate = await open_gate(key(server))
    bad = {
        "connection": "x-api-key, anthropic-version, x-mine, close",
        "x-mine": "1",
        "api-key": "a",
        "x-goog-api-key": "b",
        "x-amz-security-token": "c",
        "proxy-authorization": "d",
        "x-forwarded-for": "1.2.3.4",
        "forwarded": "for=1",
        "te": "trailers",
        "upgrade": "websocket",
        "accept-encoding": "br",
    }
    async with gate.client() as client:
        assert (await client.post("/v1/messages", content=CALL, headers=bad)).status_code == 200
    [seen] = server.seen
    assert seen.header("x-api-key") == SECRET
    assert seen.header("anthropic-version") == "2023-06-01"
    assert seen.header("accept-encoding") == "identity"
    for name in set(bad) - {"accept-encoding"}:
        assert seen.header(name) is None


@pytest.mark.parametrize(
    "header",
    [
        {"authorization": "Bearer another-run's"},
        {"authorization": f"Basic {PLACEHOLDER}"},
        {"x-api-key": "sk-ant-api03-own"},
    ],
)
async def test_another_credential_than_the_placeholder_is_refused(
    open_gate: Open, serve: Serve, header: dict[str, str]
) -> None:
    """A placeholder of another run is useless here, and so is a key that the task found."""
    server = await serve()
    gate = await open_gate(key(server))
    async with gate.client() as client:
        got = await client.post("/v1/messages", content=CALL, headers=header)
    assert got.status_code == 400
    assert server.seen == []
    assert [event.kind for event in gate.anomalies] == ["placeholder"]


@pytest.mark.parametrize("body", [b'{"messages":' + b"[" * 30_000, b'{"model":"\xff"}'])
async def test_a_body_that_cannot_be_read_is_passed_on_as_any_other(
    open_gate: Open, serve: Serve, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    """The API says what is wrong with it, and no line comes into a log that a task could fill."""
    gate = await open_gate(key(await serve()))
    assert (await gate.post(body)).status_code == 200
    assert not caplog.records


_PICTURE = (
    b'{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image",'
    b'"source":{"type":"url","url":"https://evil.example/?a"}}]}]}]}'
)


@pytest.mark.parametrize(
    "body",
    [
        _PICTURE,
        _PICTURE.replace(b'"type":"url"', b'"type" : "\\u0075rl"'),
        _PICTURE.replace(b'"type":"url"', b'"type":\n"ur\\u006C"'),
        b'{"mcp_servers":[{"type":"url","url":"https://evil.example"}],"messages":[]}',
        b'{"tools":[{"type":"web_fetch_20260209","name":"web_fetch"}],"messages":[]}',
        _PICTURE[:-1] + b',"x":' + b"[" * 9000 + b"]" * 9000 + b"}",
        _PICTURE[:-1] + b',"x":"\xff"}',
        _PICTURE[:-1] + b',"x":[' + b"{}," * 600_000 + b"{}]}",
        _PICTURE.replace(b'"type":"url"', b'"type":"url","type":"base64"'),
        _PICTURE.replace(b'"messages":', b'"messages" :').decode().encode("utf-16"),
    ],
)
async def test_the_api_is_no_way_to_another_host(
    open_gate: Open, serve: Serve, body: bytes
) -> None:
    """It would fetch what a task names, past the rules of hosts; an open task may have that."""
    server = await serve()
    gate = await open_gate(key(server))
    answer = await gate.post(body)
    assert answer.status_code == 400
    assert b"reach other hosts" in answer.content
    assert server.seen == []
    assert [event.kind for event in gate.anomalies] == ["reach"]
    gate.place.access = msgspec.structs.replace(gate.place.access, egress=Policy(mode=Mode.OPEN))
    assert (await gate.post(body)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"content":[{"type":"tool_use","input":{"source":{"type":"url"}}}]}]}',
        b'{"messages":[{"content":"\\"source\\":{\\"type\\":\\"url\\"} \\u0041"}]}',
        b'{"tools":[{"name":"F","input_schema":{"source":{"type":"url"}}}],"mcp_servers":[]}',
        b'{"tools":[{"type":"web_search_20250305","name":"web_search"}],"messages":[]}',
    ],
)
async def test_what_only_speaks_of_an_address_goes_on(
    open_gate: Open, serve: Serve, body: bytes
) -> None:
    gate = await open_gate(key(await serve()))
    assert (await gate.post(body)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"max_tokens":64000,"model":"claude-opus-4-8","messages":[],"max_tokens":1}',
        b'{"model":"claude-opus-4-8","messages":[],"model":"claude-haiku-4-5"}',
        b'{"m\\u006fdel":"claude-opus-4-8","messages":[],"model":"claude-haiku-4-5"}',
        b'{ "messages": [], "model": "a",\n "model": "b" }',
        b'{"messages":[{"role":"user","content":"Hello."}],"messages":[]}',
    ],
)
@pytest.mark.parametrize("mode", [Mode.ALLOW, Mode.OPEN])
async def test_a_member_twice_is_refused(
    open_gate: Open, serve: Serve, mode: Mode, body: bytes
) -> None:
    """Whoever takes the first of the two would make another call than the one that was counted."""
    server = await serve()
    gate = await open_gate(key(server))
    gate.place.access = msgspec.structs.replace(gate.place.access, egress=Policy(mode=mode))
    answer = await gate.post(body)
    assert answer.status_code == 400
    assert "it has a member twice" in answer.json()["error"]["message"]
    assert server.seen == []
    assert [event.kind for event in gate.anomalies] == ["members"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","messages":[{"role":"user","content":"\\"model\\": \\"b\\""}]}',
        b'{ "model": "a",\n "messages": [], "tools": [{"input_schema": {"model": {}}}] }',
        '{"model":"ä","messages":[],"tools":[{"input_schema":{"model":{}}}]}'.encode(),
    ],
)
async def test_the_same_name_in_other_objects_goes_on(
    open_gate: Open, serve: Serve, body: bytes
) -> None:
    gate = await open_gate(key(await serve()))
    assert (await gate.post(body)).status_code == 200


async def test_a_name_that_is_no_utf_8_hides_no_other(open_gate: Open, serve: Serve) -> None:
    """One reader stops at it, and another one passes over it to a member that is there twice."""
    server = await serve()
    gate = await open_gate(key(server))
    body = b'{"\xff":1,"model":"claude-opus-4-8","messages":[],"model":"claude-haiku-4-5"}'
    assert (await gate.post(body)).status_code == 400
    assert server.seen == []
    assert [event.kind for event in gate.anomalies] == ["members"]


async def test_the_placeholder_is_useless_elsewhere(open_gate: Open, serve: Serve) -> None:
    """At the API itself it is no credential, and it holds nothing of one."""
    server = await serve()
    gate = await open_gate(key(server))
    await gate.post()
    assert PLACEHOLDER not in repr(server.seen)
    assert not {PLACEHOLDER[n : n + 8] for n in range(len(PLACEHOLDER) - 7)} & {
        SECRET[n : n + 8] for n in range(len(SECRET) - 7)
    }


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
        f"{_HEAD}content-length: {MOST_BODY + 1}\r\nconnection: close\r\n\r\n".encode()
    )
    assert said.startswith(b"HTTP/1.1 413 ")
    reader, writer = await asyncio.open_unix_connection(gate.socket)
    writer.write(f"{_HEAD}transfer-encoding: chunked\r\n\r\n".encode())
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
        writer.write(f"{_HEAD}content-length: {36 << 20}\r\n\r\n".encode() + b"x" * (30 << 20))
        await writer.drain()
        held.append(writer)
    async with asyncio.timeout(20):
        while gate.held.now < 90 << 20:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
    got = await gate.post(b"{}" + b" " * (8 << 20))
    assert (got.status_code, got.headers["retry-after"]) == (503, "2")
    for writer in held:
        writer.close()


@pytest.mark.parametrize("sent", ["", "POST /v1", _HEAD, f"{_HEAD}content-length: 9\r\n\r\nabc"])
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
        client.sendall(f"{_HEAD}content-length: {len(CALL)}\r\n\r\n".encode() + CALL)
        async with asyncio.timeout(20):
            await server.gone.wait()
    assert sent < 32 << 20
    [row] = await _ended(gate, 1)
    assert not row.ending.whole


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
    [row] = await _ended(gate, 1)
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
    [row] = await _ended(gate, 1)
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
    [row] = await _ended(gate, 1)
    assert (row.ending.dollars, row.ending.status) == (0.0, 0)
    assert server.seen == []


async def test_a_stream_that_the_api_cuts_is_cut_here_too(open_gate: Open, serve: Serve) -> None:
    """A torn answer must not look like one that is over."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.head(200, EVENT_STREAM)
        await reply.part(sse(START, DELTA))
        reply.cut()

    gate = await open_gate(key(await serve(answer)))
    body = f"{_HEAD}content-length: {len(CALL)}\r\nconnection: close\r\n\r\n".encode() + CALL
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


async def _ended(gate: Gate, number: int) -> list[Any]:
    """The calls, as soon as so many have ended."""
    async with asyncio.timeout(10):
        while len(rows := [row for row in await gate.calls() if row.ending]) < number:  # noqa: ASYNC110 - of a file
            await asyncio.sleep(0.01)
    return rows
