"""A task that speaks as a driver, a front end or another task, at its own sockets, for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest_asyncio

from ctui import rpc
from ctui.gateway.egress.policy import Mode, Policy
from ctui.gateway.model import Decide, ForwardPort, Leave, Listening, OpenPort, Serve
from ctui.tasks.calls import LendNetwork, RulesChanged
from tests.gateway.inside import inside
from tests.gateway.living import Home, home, linked

SOCKETS = ("api.sock", "egress.sock", "ports.sock")


@pytest_asyncio.fixture
async def made() -> AsyncIterator[Home]:
    async with home() as one:
        yield one


def forged(made: Home) -> dict[str, bytes]:
    """Return what would open, end or ask for something, if it were heard where a task speaks."""
    everything = made.access("a", egress=Policy(mode=Mode.OPEN))
    calls = (LendNetwork("x", "/r/.git"), RulesChanged())
    return {
        **{
            type(one).__name__: rpc.encode(one)
            for one in (
                *(Serve(9, (everything,)), Serve(9), Decide("1-1", allow=True), Leave()),
                *(OpenPort(1, "b", 3000), ForwardPort(1, "b", 3000)),
            )
        },
        **{
            call.method: rpc.encode(rpc.Request(1, call.method, msgspec.Raw(_encoded(call))))
            for call in calls
        },
        "another's connection": b'{"ctui":1,"kind":"open","id":"","ok":true}\n',
        "no kind": b'{"ctui":1,"kind":"driver"}\n',
    }


def _encoded(call: object) -> bytes:
    return msgspec.json.encode(call)


async def test_no_socket_of_a_task_takes_what_only_a_driver_says(made: Home) -> None:
    """It changes no table, opens no port, ends nothing, and is told nothing."""
    accesses = [made.access(one, egress=Policy(hold=0)) for one in ("a", "b")]
    async with linked(made, accesses):
        before = await made.pid()
        for name in SOCKETS:
            for what, line in forged(made).items():
                heard = await _say(made, name, line)
                assert not heard or heard.startswith(b"HTTP/1.1 4"), (name, what, heard)
        assert await made.pid() == before
        for one in ("a", "b"):
            assert b" 403 " in await _say(made, "egress.sock", _connect("pastes.example"), one)


async def test_a_task_tells_of_no_ports_but_its_own(made: Home) -> None:
    """Whatever it says of others at its socket, they are shown as its own, and gone with it."""
    accesses = [made.access(one) for one in ("a", "b")]
    async with linked(made, accesses):
        reader, writer = await asyncio.open_unix_connection(made.root / "a" / "ports.sock")
        writer.write(b'{"ctui":1,"kind":"control","label":"b","run":"b/1","task":"b"}\n')
        writer.write(b'{"label":"b","ports":[{"port":3000,"label":"b","address":"10.0.0.1"}]}\n')
        told = await made.event(Listening, lambda event: 3000 in event.ports)
        assert told.label == "a"
        async with inside(made.root / "b"):
            made.events.clear()
            writer.close()
            gone = await made.event(Listening, lambda event: event.label == "a")
            assert gone.ports == ()
        del reader


def _connect(host: str) -> bytes:
    return f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode()


async def _say(made: Home, socket: str, line: bytes, task: str = "a") -> bytes:
    """Return all that is said to a line, and to the end that follows it."""
    reader, writer = await asyncio.open_unix_connection(made.root / task / socket)
    writer.write(line)
    if not line.startswith(b"CONNECT"):
        writer.write_eof()
    try:
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()
