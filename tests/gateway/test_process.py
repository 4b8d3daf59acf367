"""The gateway's own process: it outlives drivers, and a kill loses neither a turn nor a cost."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path
from typing import cast

import httpx2
import msgspec
import pytest
import pytest_asyncio

from ctui import rpc
from ctui.demo.model.script import fenced
from ctui.errors import InvalidInput, Refused
from ctui.gateway import finding
from ctui.gateway.books.reading import read_calls, read_requests, read_totals
from ctui.gateway.egress.opened.authority import certificate_of
from ctui.gateway.egress.opened.credential import Credential
from ctui.gateway.egress.policy import Policy
from ctui.gateway.link import Link
from ctui.gateway.model import HostGone, HostWanted, Leave, Login, LoginRejected, Spent
from tests.demo.conftest import Model, Start, start_model
from tests.gateway.egress.outside import Pages, certificates, private, serving
from tests.gateway.living import Home, booked, gone, home, linked

__all__ = ["start_model"]

REAL = "sk-ant-api03-real"
SECRET = "tok-5fGh1qZ9wLx3"
EXPIRED = "sk-ant-api03-SECRET-expired"


@pytest_asyncio.fixture
async def made() -> AsyncIterator[Home]:
    async with home() as one:
        yield one


@pytest.fixture(scope="module")
def model(start_model: Start) -> Model:
    return start_model()


def key(model: Model, secret: str = REAL) -> Login:
    return Login("the key", "api-key", secret, base_url=f"http://127.0.0.1:{model.port}")


def call(*steps: str) -> bytes:
    prompt = [{"role": "user", "content": fenced(*steps)}]
    asked = {"model": "claude-sonnet-5", "max_tokens": 9, "stream": True, "messages": prompt}
    return json.dumps({**asked, "tools": [{"name": "Bash"}]}).encode()


async def said(client: httpx2.AsyncClient, *steps: str) -> str:
    answer = await client.post("/v1/messages", content=call(*steps))
    assert answer.status_code == 200, answer.text
    return answer.text


async def cut_off(
    client: httpx2.AsyncClient, end: Callable[[], Awaitable[object]], *steps: str
) -> None:
    """Do something that ends a stream, when its text has begun to come."""

    async def read() -> None:
        async with client.stream("POST", "/v1/messages", content=call(*steps)) as answer:
            async for data in answer.aiter_raw():
                if b"One." in data:
                    await end()

    with pytest.raises(httpx2.TransportError):
        await read()


async def test_a_run_calls_the_model_and_a_driver_hears_what_it_cost(
    made: Home, model: Model
) -> None:
    """The whole way: a table, a call over the run's socket, the event, the books on the disk."""
    async with linked(made, [made.access()], [key(model)]), made.client() as client:
        assert "Hello." in await said(client, "usage 1000 100", "say Hello.")
        spent = await made.event(Spent)
    assert spent.dollars == pytest.approx((1000 * 3 + 100 * 15) / 1e6)
    totals = await booked(lambda: read_totals(made.paths.network_books), lambda it: "a" in it)
    assert totals["a"].dollars == pytest.approx(spent.dollars)
    modes = [
        path.stat().st_mode & 0o777
        for path in (made.paths.network_books, made.paths.gateway_log, made.paths.gateway_socket)
    ]
    assert modes == [0o600, 0o600, 0o600]


async def test_a_kill_in_a_stream_loses_no_cost_and_the_next_one_serves(
    made: Home, model: Model
) -> None:
    """The call that was cut off is booked by what was noted of it; asked again, it is answered."""

    def noted() -> int | None:
        with closing(sqlite3.connect(made.paths.network_books)) as books:
            (tokens,) = books.execute("SELECT input FROM calls").fetchone()
        return cast("int | None", tokens)

    async def end() -> None:
        await booked(noted, lambda tokens: tokens == 7000)
        await made.kill()

    async with linked(made, [made.access()], [key(model)]), made.client() as client:
        first = await made.pid()
        await cut_off(client, end, "usage 7000 1", "say One.", "wait never")
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(20):
            while True:  # as the CLI does
                try:
                    assert "Two." in await said(client, "say Two.")
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() - begun < 10
        assert await made.pid() != first
        cut, whole = await booked(
            lambda: read_calls(made.paths.network_books),
            lambda rows: len(rows) == 2 and all(row.ending for row in rows),
        )
    assert cut.ending is not None
    assert whole.ending is not None
    assert (cut.ending.whole, cut.ending.usage.input_tokens) == (False, 7000)
    assert cut.ending.dollars > 7000 * 3 / 1e6
    assert whole.ending.whole


async def test_it_outlives_the_driver(made: Home, model: Model) -> None:
    """A stream goes on while no driver is there; the next one pushes its table to the same one."""
    async with linked(made, [made.access()], [key(model)]):
        first = await made.pid()
    async with made.client() as client:
        assert "Alone." in await said(client, "say Alone.")
    async with linked(made, [made.access()], [key(model)]), made.client() as client:
        assert "Again." in await said(client, "say Again.")
        assert await made.pid() == first


async def test_a_driver_that_has_said_nothing_yet_cuts_nothing(made: Home, model: Model) -> None:
    """A new driver connects before it knows its runs: their sockets stay meanwhile."""
    async with linked(made, [made.access()], [key(model)]):
        pass
    async with Link(made.paths, made.take), made.client() as client:
        assert "Still." in await said(client, "say Still.")


async def test_a_run_s_socket_ends_with_it(made: Home, model: Model) -> None:
    """Taken out of the table: what streams is cut off, nothing connects, nothing is left there."""
    async with linked(made, [made.access()], [key(model)]) as link, made.client() as client:
        end = partial(link.serve, [], [key(model)])
        await cut_off(client, end, "say One.", "wait never")
        with pytest.raises(httpx2.ConnectError):
            await client.post("/v1/messages", content=call("say Two."))
        assert list((made.root / "a").iterdir()) == []


async def test_a_change_keeps_the_sockets(made: Home, model: Model) -> None:
    """Another budget counts for the next call, on the connection that is open."""
    socket = made.root / "a" / "api.sock"
    async with linked(made, [made.access()], [key(model)]) as link, made.client() as client:
        await said(client, "usage 100000 0", "say One.")
        before = socket.stat().st_ino
        await link.serve([made.access(budget=0.01)], [key(model)])
        answer = await client.post("/v1/messages", content=call("say Two."))
        assert answer.status_code == 400
        assert "budget of $0.01 is spent ($0.30)" in answer.json()["error"]["message"]
        assert answer.json()["error"]["type"] == "invalid_request_error"
        await link.serve([made.access(budget=1.0)], [key(model)])
        assert "Three." in await said(client, "say Three.")
        assert socket.stat().st_ino == before


async def test_a_rejected_login_is_looked_for_anew(made: Home, model: Model) -> None:
    """401, the driver's new login, and the same request goes on: the task sees nothing of it."""
    old = key(model, "sk-ant-expired")
    async with linked(made, [made.access()], [old]) as link, made.client() as client:
        asking = asyncio.ensure_future(said(client, "say Hello."))
        rejected = await made.event(LoginRejected)
        assert (rejected.login, rejected.status, rejected.run) == ("the key", 401, "a/1")
        assert rejected.fingerprint == old.fingerprint
        await link.serve([made.access()], [key(model)])
        assert "Hello." in await asking


async def test_a_credential_outlives_the_driver_that_told_it(made: Home, tmp_path: Path) -> None:
    """A next driver that cannot read it takes it from no run; no file and no log has it."""
    tls = certificates(tmp_path, "localhost")
    pages = Pages()
    made.environ = {**os.environ, "CTUI_CA_FILE": str(tls.bundle)}
    async with serving(pages, tls.server) as port:
        known = Credential("localhost", port, "X-Key", "KEY", SECRET)
        unknown = msgspec.structs.replace(known, value="")
        trusted = ssl.create_default_context(cadata=certificate_of(made.paths.authority).decode())
        for credentials in ((known,), (unknown,)):
            access = made.access(egress=private(port), login="", credentials=credentials)
            async with linked(made, [access]):
                said = await through(made.root / "a", port, trusted)
                assert b" 200 " in said
        assert [f"X-Key: {SECRET}" in head for head in pages.heads] == [True, True]
        # Another run of the same rule has it not.
        other = made.access("b", egress=private(port), login="", credentials=(unknown,))
        async with linked(made, [other]):
            assert b" 503 " in await through(made.root / "b", port, trusted)
    assert SECRET not in made.log()
    rows = read_requests(made.paths.network_books, task="a")
    assert {row.credential for row in rows} == {"KEY"}
    for file in made.root.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()


async def through(folder: Path, port: int, trusted: ssl.SSLContext) -> bytes:
    """What a host answers to a run, first line first."""
    reader, writer = await asyncio.open_unix_connection(str(folder / "egress.sock"))
    where = f"localhost:{port}"
    writer.write(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(trusted, server_hostname="localhost")
    writer.write(f"GET / HTTP/1.1\r\nHost: {where}\r\nConnection: close\r\n\r\n".encode())
    said = await reader.read()
    writer.close()
    return said


async def test_a_spare_login_counts_only_where_no_other_is_known(made: Home, model: Model) -> None:
    """A next driver has not what came with a command: the run goes on with that all the same."""
    spare = msgspec.structs.replace(key(model, "sk-ant-expired"), spare=True)
    async with linked(made, [made.access()], [key(model)]):
        pass
    accesses = [made.access(), made.access("b", login="other")]
    logins = [spare, msgspec.structs.replace(spare, name="other")]
    async with linked(made, accesses, logins), made.client("b") as other:
        async with made.client() as client:
            assert "Hello." in await said(client, "say Hello.")
        asking = asyncio.ensure_future(said(other, "say Hello."))
        assert (await made.event(LoginRejected)).run == "b/1"
        asking.cancel()


async def test_without_another_login_the_task_waits(made: Home, model: Model) -> None:
    """No 401 gets there: 503 has the CLI come again; and so it does where no driver is."""
    old = key(model, "sk-ant-expired")
    async with linked(made, [made.access()], [old]) as link, made.client() as client:
        asking = asyncio.ensure_future(client.post("/v1/messages", content=call("say Hello.")))
        await made.event(LoginRejected)
        await link.serve([made.access()], [old])
        answer = await asking
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        text = answer.json()["error"]["message"]
        assert "login is not accepted (401: the credential has expired)" in text
    async with made.client() as client:
        assert (await client.post("/v1/messages", content=call("say x"))).status_code == 503


async def test_a_host_is_asked_for_and_the_next_driver_hears_it_too(
    made: Home, model: Model
) -> None:
    """The question is open for as long as the connection waits, whichever driver is there."""
    egress = made.root / "a" / "egress.sock"
    async with linked(made, [made.access(egress=Policy(hold=20))], [key(model)]):
        reader, writer = await asyncio.open_unix_connection(egress)
        writer.write(b"CONNECT nowhere.invalid:443 HTTP/1.1\r\nhost: nowhere.invalid:443\r\n\r\n")
        first = await made.event(HostWanted)
        assert (first.host, first.port, first.task) == ("nowhere.invalid", 443, "a")
    made.events.clear()
    async with linked(made, [made.access(egress=Policy(hold=20))], [key(model)]) as link:
        assert (await made.event(HostWanted)).id == first.id
        link.decide(first.id, allow=False)
        assert b" 403 " in await reader.readline()
        assert (await made.event(HostGone)).id == first.id
    writer.close()


async def test_a_killed_driver_leaves_one_gateway_however_many_start_it(
    made: Home, model: Model
) -> None:
    """Ten links at once, as after a crash: one process, and each of them is served."""
    async with AsyncExitStack() as stack:
        links = [await stack.enter_async_context(linked(made)) for _ in range(2)]
        results = await asyncio.gather(
            *(link.serve([made.access()], [key(model)]) for link in links * 5)
        )
        assert results == [{}] * 10
        async with made.client() as client:
            assert "Hello." in await said(client, "say Hello.")


async def test_a_run_that_cannot_be_served_is_named_and_the_others_are(
    made: Home, model: Model
) -> None:
    """A folder that is gone is that run's problem only."""
    bad = made.access("b")
    (made.root / "b").rmdir()
    async with Link(made.paths, made.take) as link, made.client() as client:
        problems = await link.serve([bad, made.access()], [key(model)])
        assert list(problems) == ["b/1"]
        assert "cannot be made" in problems["b/1"]
        assert "Hello." in await said(client, "say Hello.")


async def test_no_secret_is_where_it_could_be_read(made: Home, model: Model) -> None:
    """Neither argv nor environment nor log nor books have it, also after errors of all kinds."""
    secret = EXPIRED
    environ = {"ANTHROPIC_API_KEY": secret, "AWS_BEARER_TOKEN_BEDROCK": secret, "PATH": "/bin"}
    refused = Login("nowhere", "bearer", secret, base_url="http://127.0.0.1:9")
    broken = Login("broken", "bearer", secret + "\n", base_url="http://127.0.0.1:9")
    async with Link(made.paths, made.take, environ) as link:
        accesses = [
            made.access("a"),
            made.access("b", login="nowhere"),
            made.access("c", login="broken"),
        ]
        logins = [key(model, secret), refused, broken]
        await link.serve(accesses, logins)
        for task in "abc":
            async with made.client(task) as client:
                asking = asyncio.ensure_future(client.post("/v1/messages", content=call("say x")))
                if task == "a":
                    await made.event(LoginRejected)
                    await link.serve(accesses, logins)
                answer = await asking
                assert answer.status_code == 503
                assert secret not in answer.text
        pid = await made.pid()
        process = Path(f"/proc/{pid}")
        assert secret.encode() not in (process / "cmdline").read_bytes()
        assert secret.encode() not in (process / "environ").read_bytes()
        assert secret not in repr([key(model, secret), refused, *made.events])
        for file in made.paths.state.rglob("*"):
            if file.is_file():
                assert secret.encode() not in file.read_bytes(), file


async def test_a_gateway_that_nobody_needs_ends(
    made: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its idle time without driver and run; with a run it stays."""
    code = (
        "import ctui.gateway.process as p, sys; p.IDLE_SECONDS = 0.3; sys.argv[0] = 'x';"
        "sys.exit(p.main())"
    )

    async def quick(_module: str, _name: str, _log: Path, environ: dict[str, str]) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", code, "--ready", "1"),
            env=environ,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        return (await process.stdout.readline()).decode().strip()

    monkeypatch.setattr(finding, "start", quick)
    async with linked(made, [made.access()]):
        pid = await made.pid()
    await asyncio.sleep(1.0)
    assert Path(f"/proc/{pid}").exists()
    async with linked(made):
        assert await made.pid() == pid
    await gone(pid)
    assert "nobody needs the gateway" in made.log()


async def test_proxies_that_cannot_be_used_are_named_at_once(made: Home) -> None:
    """The gateway does not start with them: calls that go another way would be worse."""
    environ = {"HTTPS_PROXY": "gopher://me:secret@proxy", "PATH": "/bin"}
    async with Link(made.paths, made.take, environ) as link:
        with pytest.raises(InvalidInput, match="proxies of the environment") as failed:
            await link.serve([made.access()], [])
    assert "secret" not in failed.value.one_line() + made.log()


async def test_a_gateway_of_another_version_is_replaced(
    made: Home, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one ends as soon as no call is under way, and until then takes no new one."""
    async with linked(made, [made.access()], [key(model)]), made.client() as client:
        first = await made.pid()
        async with client.stream(
            "POST", "/v1/messages", content=call("say One.", "wait replaced", "say Two.")
        ) as answer:
            text = answer.aiter_text()
            while "One." not in await anext(text):
                pass
            reader, writer = await asyncio.open_unix_connection(made.paths.gateway_socket)
            await reader.readline()
            writer.write(rpc.encode(Leave()))
            async with made.client() as another:
                got = await another.post("/v1/messages", content=call("say x"))
            assert (got.status_code, got.headers["retry-after"]) == (503, "1")
            assert model.post("/release/replaced").status == 200
            assert "Two." in "".join([part async for part in text])
        assert await reader.read() == b""
        writer.close()
        await gone(first)
        async with asyncio.timeout(20):
            while not (made.root / "a" / "api.sock").exists():  # noqa: ASYNC110 - of a file
                await asyncio.sleep(0.02)
        assert "Three." in await said(client, "say Three.")
    monkeypatch.setattr(finding, "__version__", "0.0.1")
    async with Link(made.paths, made.take) as link:
        with pytest.raises(Refused, match="a gateway of ctui"):
            await link.serve([made.access()], [])
