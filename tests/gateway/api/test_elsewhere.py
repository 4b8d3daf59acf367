"""Models elsewhere: Bedrock's and Vertex's own paths, bearers and streams."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import ssl
import struct
from pathlib import Path
from urllib.parse import unquote

import pytest
import trustme

from ctui.gateway.model import Login
from tests.gateway.api.conftest import SECRET, Open, Serve, key
from tests.gateway.upstream import (
    COST,
    DELTA,
    END,
    START,
    STOP,
    WHOLE,
    Pairs,
    Reply,
    Seen,
    Upstream,
    answer_whole,
)

_MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
_ARN = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A012345678901"
_MINE = f"{_ARN}%3Aapplication-inference-profile%2Fmine"
_FRAMES: Pairs = [(b"content-type", b"application/vnd.amazon.eventstream")]
_FRAME_HEADERS = (
    (b":event-type", b"chunk"),
    (b":content-type", b"application/json"),
    (b":message-type", b"event"),
)
BODY = b'{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["x"],"messages":[]}'


def frame(event: bytes) -> bytes:
    """Return Bedrock's frame of an event of the Messages API."""
    payload = json.dumps({"bytes": base64.b64encode(event).decode(), "p": "abc"}).encode()
    header = b"".join(
        bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value
        for name, value in _FRAME_HEADERS
    )
    prelude = struct.pack(">II", 12 + len(header) + len(payload) + 4, len(header))
    whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + header + payload
    return whole + struct.pack(">I", binascii.crc32(whole))


ANSWER = b"".join(frame(event) for event in (START, DELTA, END, STOP))


async def test_a_call_to_bedrock(open_gate: Open, serve: Serve) -> None:
    """The CLI sends no authorization there; the bearer is added, and its frames are counted."""

    async def answer(_seen: Seen, reply: Reply) -> None:
        await reply.head(200, _FRAMES)
        for at in range(0, len(ANSWER), 97):
            await reply.part(ANSWER[at : at + 97])
        await reply.end()

    server = await serve(answer)
    login = Login("aws", "bedrock", "aws-bearer", base_url=server.url)
    gate = await open_gate(login)
    async with gate.client() as client:
        del client.headers["authorization"]
        path = f"/model/{_MODEL}/invoke-with-response-stream"
        sent = {"x-amz-date": "20260101T000000Z"}
        got = await client.post(path, content=BODY, headers=sent)
    assert got.content == ANSWER
    [seen] = server.seen
    assert (seen.target, seen.body) == (path, BODY)
    assert seen.header("authorization") == "Bearer aws-bearer"
    assert seen.header("x-amz-date") is None
    assert seen.header("anthropic-beta") is None
    [row] = await gate.calls()
    assert row.ending is not None
    assert (row.call.model, row.ending.whole) == (_MODEL, True)
    assert row.ending.dollars == pytest.approx(COST)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/inference-profiles?type=SYSTEM_DEFINED", 200),
        ("GET", "/inference-profiles/us.anthropic.x", 200),
        ("POST", f"/model/{_MODEL}/invoke", 200),
        ("POST", f"/model/{_MINE}/invoke", 200),
        ("POST", f"/model/{_ARN}%3Afoundation-model%2Fanthropic.x-v1%3A0/invoke", 200),
        ("POST", f"/model/{_ARN}%3Ainference-profile%2Fus-gov.anthropic.x/count-tokens", 200),
        ("GET", f"/inference-profiles/{_MINE}", 200),
        ("POST", f"/model/{_ARN}%3Aapplication-inference-profile%2Fother/invoke", 404),
        ("POST", f"/model/{_ARN}%3Aprovisioned-model%2Fanthropic.x/invoke", 404),
        ("POST", "/model/arn%3Aaws%3Asagemaker%3Aeu%3A1%3Aendpoint%2Fanthropic.x/invoke", 404),
        ("POST", "/model/claude-sonnet-5/invoke", 200),
        ("POST", "/model/amazon.nova-pro-v1%3A0/invoke", 404),
        ("POST", "/model/us.meta.llama3/invoke-with-response-stream", 404),
        ("POST", f"/model/{_MODEL}%2Finvoke/converse", 404),
        ("GET", f"/inference-profiles/{_ARN}%3Aapplication-inference-profile%2Fother", 404),
        ("POST", "/model/a/../../x/invoke", 404),
        ("POST", "/model/..%2Fx/invoke", 404),
        ("POST", "/v1/messages", 404),
        ("DELETE", "/inference-profiles/x", 404),
        ("POST", "/guardrails", 404),
    ],
)
async def test_only_bedrock_s_calls_to_the_model(
    open_gate: Open, serve: Serve, method: str, path: str, status: int
) -> None:
    """The service has more than models, and more models than Claude's: an account's own endpoints
    and those of others are asked for where the person has named them."""
    server = await serve()
    models = (unquote(_MINE),)
    gate = await open_gate(Login("aws", "bedrock", "b", base_url=server.url, models=models))
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
    )
    got = await gate.raw(head.encode())
    assert got.startswith(f"HTTP/1.1 {status} ".encode())
    assert [seen.target for seen in server.seen] == ([path] if status == 200 else [])


async def test_a_call_to_vertex(open_gate: Open, serve: Serve) -> None:
    """Its own path, with or without the version, the bearer, and a usual stream."""
    server = await serve()
    gate = await open_gate(_vertex(server.url))
    place = "/projects/p/locations/us-east5/publishers/anthropic/models"
    async with gate.client() as client:
        for path in (
            f"{place}/claude-sonnet-4-5@20250929:streamRawPredict",
            f"/v1{place}/m:rawPredict",
        ):
            assert (await client.post(path, content=b"{}")).content == WHOLE
        assert (await client.post(f"{place}/gemini:generateContent")).status_code == 404
        other = place.replace("anthropic", "google")
        assert (await client.post(f"{other}/m:rawPredict")).status_code == 404
        counted = await client.post(f"{place}/count-tokens:rawPredict", content=b"{}")
        assert counted.status_code == 200
    first, second, _ = server.seen
    assert first.target == f"/v1{place}/claude-sonnet-4-5@20250929:streamRawPredict"
    assert second.target == f"/v1{place}/m:rawPredict"
    assert first.header("authorization") == "Bearer ya29.x"
    row, _ = await gate.calls()
    assert row.ending is not None
    assert row.ending.dollars == pytest.approx(COST)
    assert row.call.model == "claude-sonnet-4-5@20250929"


@pytest.mark.parametrize("place", ["projects/p/locations/global", "projects/q/locations/us-east5"])
async def test_another_place_of_vertex_is_not_asked(
    open_gate: Open, serve: Serve, place: str
) -> None:
    """The token is good for all projects and regions that its person may use."""
    server = await serve()
    gate = await open_gate(_vertex(server.url))
    async with gate.client() as client:
        path = f"/v1/{place}/publishers/anthropic/models"
        for asked in (f"{path}/m:rawPredict", f"{path}/count-tokens:rawPredict"):
            got = await client.post(asked, content=b"{}")
            assert got.status_code == 404
            assert "calls to Claude's models in projects/p/locations/us-east5, and" in got.text
    assert server.seen == []


def _vertex(url: str) -> Login:
    place = "projects/p/locations/us-east5"
    return Login("gcp", "vertex", "ya29.x", base_url=f"{url}/v1", place=place)


async def test_an_api_behind_a_company_s_certificate(
    open_gate: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its CA bundle counts as it does for the CLI; without it nothing is sent there."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    server = Upstream("", answer_whole)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.url = f"https://localhost:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        got = await (await open_gate(key(server))).post()
        assert got.status_code == 503
        assert server.seen == []
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "ca.pem"))
        assert (await (await open_gate(key(server))).post()).content == WHOLE


async def test_a_company_s_proxy(
    open_gate: Open, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's own is used; one that cannot be used is said without its password."""
    proxy = await serve()
    login = Login("k", "api-key", SECRET, base_url="http://api.invalid")
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//me:pass@"))
    gate = await open_gate(login)
    assert (await gate.post()).content == WHOLE
    [seen] = proxy.seen
    assert seen.target == "http://api.invalid/v1/messages"
    assert seen.header("proxy-authorization") == "Basic bWU6cGFzcw=="
    monkeypatch.setenv("HTTP_PROXY", "gopher://me:pass@x")
    got = await (await open_gate(login)).post()
    assert got.status_code == 503
    assert "proxy or certificates" in got.text
    assert "pass" not in got.text.replace("passes", "")
