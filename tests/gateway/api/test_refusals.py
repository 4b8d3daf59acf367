"""Requests that are not passed on as they came: odd ones, foreign credentials, ways elsewhere."""

from __future__ import annotations

import msgspec
import pytest

from ctui.gateway.egress.policy import Mode, Policy
from tests.gateway.api.conftest import CALL, HEAD, PLACEHOLDER, SECRET, Open, Serve, key


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
    answer = await gate.raw(f"{HEAD}{head}connection: close\r\n\r\n{hidden}".encode("latin-1"))
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
