"""The pinned CLI in a container without any network, whose only way out is its run's socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from ctui.claude.login.platforms import platform_of
from ctui.config import ImageConfig
from ctui.demo.model.script import fenced
from ctui.gateway.books.reading import read_calls, read_totals
from ctui.gateway.model import Login, LoginKind
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.spec import LABEL_INSTANCE, Mount, SandboxSpec
from ctui.tasks.network.sealed import sealed_environment
from tests.demo.conftest import Model, Start, start_model
from tests.gateway.api.test_elsewhere import frame
from tests.gateway.living import Home, booked, home, linked
from tests.gateway.upstream import EVENT_STREAM, Answerer, Reply, Seen, Upstream, upstream
from tests.sandbox.containers import all_said

__all__ = ["start_model"]

pytestmark = pytest.mark.engine

KEY = "sk-ant-api03-the-real-one"
PLACEHOLDER = "ctui-placeholder-7"
_SOCKETS = "/ctui/gw"
_UID = os.getuid() or 1000
_OF_ONE_CONNECTION = {
    "accept-encoding",  # what it cost is read from the answer, so that one is asked for unpacked
    "connection",
    "host",
    "content-length",  # ids in the body are of different lengths
    "x-claude-code-session-id",
    "x-client-request-id",
    "x-stainless-retry-count",
}


_IN_A_BODY = re.compile(r"cch=[0-9a-f]+;|toolu_[0-9a-zA-Z]+")
"""What the CLI and the model make anew in each call."""


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Engine]:
    made = await Engine.connect()
    yield made
    await made.close()


@pytest_asyncio.fixture
async def made() -> AsyncIterator[Home]:
    async with home() as one:
        one.root.chmod(0o755)
        yield one


def model_says(model: Model, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=30)
    connection.request(method, path, body, {"x-api-key": "any"})
    answer = connection.getresponse()
    with closing(connection):
        return answer.status, answer.read()


def through(model: Model) -> Answerer:
    """Answer as the scripted model does, whatever is asked."""

    async def answer(seen: Seen, reply: Reply) -> None:
        asked = (model, seen.method, seen.target, seen.body)
        status, body = await asyncio.to_thread(model_says, *asked)
        await reply.whole(status, body, EVENT_STREAM)

    return answer


async def turn(
    engine: Engine, made: Home, env: dict[str, str], *steps: str
) -> list[dict[str, Any]]:
    """Let the CLI do one turn; the events that it printed."""
    writable = made.root / "written"
    writable.mkdir(exist_ok=True)
    writable.chmod(0o777)
    spec = SandboxSpec(
        name=f"ctui-cli-{secrets.token_hex(6)}",
        image=image_tag(ImageConfig()),
        entrypoint=("claude",),
        command=(
            *("-p", fenced(*steps), "--model", "claude-sonnet-5", "--allowedTools", "Bash"),
            *("--output-format", "stream-json", "--verbose"),
        ),
        uid=_UID,
        gid=_UID,
        env={
            "ANTHROPIC_UNIX_SOCKET": f"{_SOCKETS}/api.sock",
            "ANTHROPIC_BASE_URL": "http://api.anthropic.com",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            **env,
        },
        mounts=(
            Mount(str(made.root / "a"), _SOCKETS, read_only=True),
            Mount(str(writable), "/home/claude", read_only=False),
        ),
        network="none",
        labels={LABEL_INSTANCE: made.paths.instance},
    )
    container = await engine.create(spec)
    try:
        await engine.start(container)
        async with asyncio.timeout(90):
            lines = await all_said(engine.endpoint, container)
    finally:
        await engine.remove(container)
    return [json.loads(line.data) for line in lines if line.stream == "out"]


async def direct(folder: Path, server: Upstream) -> asyncio.Server:
    """A socket that is the API's own address: bytes go there and back, and nothing reads them."""
    host, _, port = server.url.removeprefix("http://").partition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        try:
            await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)
        finally:
            back.close()
            writer.close()

    made = await asyncio.start_unix_server(serve, folder / "api.sock")
    (folder / "api.sock").chmod(0o666)
    return made


async def spent(made: Home) -> float:
    """Return what the books say that the task has cost, once all of its calls have ended."""
    await booked(
        lambda: read_calls(made.paths.network_books),
        lambda rows: bool(rows) and all(row.ending for row in rows),
    )
    return read_totals(made.paths.network_books)["a"].dollars


def compared(seen: Seen) -> tuple[str, str, dict[str, str], Any]:
    """What of a request is the same each time: no ids, no times, no credential."""
    headers = {
        name.decode().lower(): value.decode()
        for name, value in seen.headers
        if name.decode().lower() not in _OF_ONE_CONNECTION | {"authorization", "x-api-key"}
    }
    body = json.loads(seen.body)
    body.pop("metadata", None)
    text = json.dumps(body, sort_keys=True).replace(KEY, PLACEHOLDER)
    return seen.method, seen.target, headers, _IN_A_BODY.sub("", text)


async def test_a_turn_through_the_gateway_is_a_direct_one_but_for_the_credential(
    engine: Engine, made: Home, start_model: Start
) -> None:
    """With a tool call: headers and bodies are the same, the cost is the CLI's own."""
    steps = ("bash echo $ANTHROPIC_AUTH_TOKEN; ls /ctui/gw", "say {result}")
    async with upstream(through(start_model())) as server:
        login = Login("the key", "api-key", KEY, base_url=server.url)
        access = made.access(placeholder=PLACEHOLDER)
        async with linked(made, [access], [login]):
            gated = await turn(engine, made, {"ANTHROPIC_AUTH_TOKEN": PLACEHOLDER}, *steps)
        through_gateway = [*server.seen]
        server.seen.clear()
        straight = await direct(made.root / "a", server)
        async with straight:
            alone = await turn(engine, made, {"ANTHROPIC_AUTH_TOKEN": KEY}, *steps)
    result, other = gated[-1], alone[-1]
    assert (result["type"], result["is_error"]) == ("result", False), result
    assert PLACEHOLDER in result["result"]
    assert KEY in other["result"]  # as it was without a gateway
    assert KEY not in json.dumps(gated)
    assert len(through_gateway) == len(server.seen) >= 2
    for gate, plain in zip(through_gateway, server.seen, strict=True):
        assert gate.header("x-api-key") == KEY
        assert gate.header("authorization") is None
        assert compared(gate) == compared(plain)
    assert await spent(made) == pytest.approx(result["total_cost_usd"])


PERSONS = {
    "bedrock": {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_REGION": "us-east-1"},
    "vertex": {
        "CLAUDE_CODE_USE_VERTEX": "1",
        "CLOUD_ML_REGION": "us-east5",
        "ANTHROPIC_VERTEX_PROJECT_ID": "p",
    },
    "foundry": {"CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_FOUNDRY_RESOURCE": "r"},
}
"""Environments of persons whose model is elsewhere."""


def environment_of(kind: str) -> dict[str, str]:
    """Return what a task of such a person has, beside the proxy that leads nowhere here."""
    if kind not in PERSONS:
        return {"ANTHROPIC_AUTH_TOKEN": PLACEHOLDER}
    platform = platform_of(PERSONS[kind], PLACEHOLDER)
    return sealed_environment(None, (), platform)


def played_elsewhere(model: Model) -> Answerer:
    """Answer as Bedrock and Vertex do, with what the scripted model says."""

    async def answer(seen: Seen, reply: Reply) -> None:
        if seen.method == "GET":
            await reply.whole(200, b'{"inferenceProfileSummaries":[]}')
            return
        asked = {**json.loads(seen.body), "model": "claude-sonnet-4-5", "stream": True}
        path, body = "/v1/messages", json.dumps(asked).encode()
        _, said = await asyncio.to_thread(model_says, model, "POST", path, body)
        if "/invoke" in seen.target:
            events = [line[6:] for line in said.split(b"\n") if line.startswith(b"data: ")]
            kind = (b"content-type", b"application/vnd.amazon.eventstream")
            await reply.whole(200, b"".join(map(frame, events)), [kind])
        else:
            await reply.whole(200, said, EVENT_STREAM)

    return answer


@pytest.mark.parametrize(
    "kind",
    [
        "bedrock",
        pytest.param("vertex", marks=pytest.mark.soak),
        pytest.param("foundry", marks=pytest.mark.soak),
        pytest.param("oauth", marks=pytest.mark.soak),
    ],
)
async def test_a_turn_with_another_kind_of_login(
    engine: Engine, made: Home, start_model: Start, kind: str
) -> None:
    """The CLI's own requests to platforms, and with a subscription's token in the gateway."""
    sent = cast("LoginKind", "api-key" if kind == "foundry" else kind)
    path = {"vertex": "/v1", "foundry": "/anthropic"}.get(kind, "")
    async with upstream(played_elsewhere(start_model())) as server:
        access = made.access(placeholder=PLACEHOLDER, login="elsewhere")
        platform = platform_of(PERSONS.get(kind, {}), PLACEHOLDER)
        place = platform.path if platform else ""
        login = Login("elsewhere", sent, KEY, base_url=server.url + path, place=place)
        async with linked(made, [access], [login]):
            env = environment_of(kind)
            events = await turn(engine, made, env, "usage 1000 100", "say Hello.")
    assert (events[-1]["is_error"], events[-1]["result"]) == (False, "Hello."), events[-1]
    if kind == "foundry":
        assert {seen.header("x-api-key") for seen in server.seen} == {KEY}
        assert all(seen.target.startswith("/anthropic/v1/messages") for seen in server.seen)
    else:
        assert {seen.header("authorization") for seen in server.seen} == {f"Bearer {KEY}"}
    if kind == "oauth":
        betas = [str(seen.header("anthropic-beta")).split(",") for seen in server.seen]
        assert all("oauth-2025-04-20" in found for found in betas)
    assert await spent(made) == pytest.approx(events[-1]["total_cost_usd"])


async def test_a_turn_goes_on_after_the_gateway_was_killed_in_it(
    engine: Engine, made: Home, start_model: Start
) -> None:
    """The CLI asks again as it does after any break; the tool before it ran once."""
    play = through(start_model())
    held, again = asyncio.Event(), asyncio.Event()

    async def answer(seen: Seen, reply: Reply) -> None:
        if b"tool_result" in seen.body and not again.is_set():
            held.set()
            await asyncio.Event().wait()
        await play(seen, reply)

    async def kill() -> None:
        await held.wait()
        again.set()
        await made.kill()

    async with upstream(answer) as server:
        login = Login("the key", "api-key", KEY, base_url=server.url)
        async with linked(made, [made.access(placeholder=PLACEHOLDER)], [login]):
            killing = asyncio.ensure_future(kill())
            steps = ("bash echo once >> ~/count; cat ~/count", "say {result}")
            events = await turn(engine, made, {"ANTHROPIC_AUTH_TOKEN": PLACEHOLDER}, *steps)
            await killing
    result = events[-1]
    assert (result["is_error"], result["result"]) == (False, "once")
    assert "api_retry" in [event.get("subtype") for event in events]
    calls = await booked(
        lambda: read_calls(made.paths.network_books),
        lambda rows: len(rows) == 3 and all(row.ending for row in rows),
    )
    assert [row.ending.whole for row in calls if row.ending] == [True, False, True]
