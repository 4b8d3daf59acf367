"""The way into a run against a task's side that lies, floods, guesses and does not listen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ctui.errors import NotFound, Unavailable
from ctui.gateway.ports.hub import PortsHub

CONTROL = b'{"ctui":1,"kind":"control"}\n'


class Side:
    """A hub, and a task's side that says what it likes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hub = PortsHub(path, self._changed, patience=0.3)
        self.changes = 0
        self._news = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    def _changed(self) -> None:
        self.changes += 1
        self._news.set()

    async def told(self, *ports: int) -> None:
        """Wait until exactly these are known."""
        while self.hub.ports != ports:
            self._news.clear()
            await self._news.wait()

    async def say(self, *lines: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        self._writers.append(writer)
        writer.write(b"".join(lines))
        return reader, writer

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def side(folder: Path) -> AsyncIterator[Side]:
    made = Side(folder / "ports.sock")
    await made.hub.start()
    try:
        yield made
    finally:
        made.close()
        await made.hub.close()


async def ended(reader: asyncio.StreamReader) -> bool:
    """Return True if nothing more is said; what was left unread resets the connection."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


def ports(*numbers: object) -> bytes:
    return json.dumps({"ports": [{"port": one} for one in numbers]}).encode() + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"\n", b"x\n", b"[]\n", b'{"kind":"control"}\n', b'{"ctui":1,"kind":"other"}\n'),
        *(b"{" * 300, b'{"ctui":1,"kind":"open","id":"guess","ok":true}\n', b"\xff\xfe\n"),
    ],
)
async def test_what_is_said_first_is_a_line_that_is_known(tmp_path: Path, line: bytes) -> None:
    """Anything else, and a connection that nobody asked for, is closed at once."""
    async with side(tmp_path) as task:
        reader, writer = await task.say(line)
        writer.write_eof()
        assert await ended(reader)
        assert task.hub.ports == ()


@pytest.mark.parametrize(
    "line",
    [
        *(ports(0), ports(70_000), ports("80"), ports(1.5), ports(*range(1, 300)), b"{}\n"),
        *(b'{"ports":7}\n', b"x\n", b"[" * 40_000 + b"\n", b"y" * 40_000),
    ],
)
async def test_what_listens_is_a_list_of_ports(tmp_path: Path, line: bytes) -> None:
    """Another list ends the connection, and with it what was known."""
    async with side(tmp_path) as task:
        reader, writer = await task.say(CONTROL, ports(3000, 80, 80))
        await task.told(80, 3000)
        writer.write(line)
        await task.told()
        assert await ended(reader)


async def test_a_flood_of_changes_is_heard_now_and_then(tmp_path: Path) -> None:
    """Thousands of lists are a few changes, and the last one is among them."""
    async with side(tmp_path) as task:
        _, writer = await task.say(CONTROL)
        for number in range(5000):
            writer.write(ports(1 + number % 2, 5))
        writer.write(ports(443))
        await task.told(443)
        assert task.changes < 50


async def test_a_flood_of_connections_is_heard_now_and_then(tmp_path: Path) -> None:
    """Each says another list and goes: that is no more than one that says them all."""
    async with side(tmp_path) as task:
        said = [await task.say(CONTROL, ports(1 + number)) for number in range(400)]
        for _, writer in said:
            writer.close()
        await task.say(CONTROL, ports(443))
        await task.told(443)
        assert task.changes < 50


async def test_a_list_as_deep_as_it_is_long_is_no_mistake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends its connection, and leaves no line in a log that a task could fill."""
    async with side(tmp_path) as task:
        for _ in range(3):
            reader, writer = await task.say(CONTROL, b'{"x":' + b"[" * 30_000 + b"\n")
            assert await ended(reader)
            writer.close()
    assert not caplog.records


async def test_the_last_control_connection_counts(tmp_path: Path) -> None:
    """A program that is started again takes over; the end of the first one changes nothing."""
    async with side(tmp_path) as task:
        _, first = await task.say(CONTROL, ports(1))
        await task.told(1)
        second, _ = await task.say(CONTROL, ports(2))
        await task.told(2)
        first.close()
        opening = asyncio.ensure_future(task.hub.open(2))
        wanted = json.loads(await second.readline())
        assert wanted["port"] == 2
        said = json.dumps({"ctui": 1, "kind": "open", "id": wanted["open"], "ok": True})
        _, there = await task.say(said.encode() + b"\nbytes of the port")
        with await opening as found:
            loop = asyncio.get_running_loop()
            assert await loop.sock_recv(found, 100) == b"bytes of the port"
        there.close()


async def test_nothing_there_and_nobody_there_are_told_apart(tmp_path: Path) -> None:
    async with side(tmp_path) as task:
        with pytest.raises(Unavailable, match="not running"):
            await task.hub.open(3000)
        reader, _ = await task.say(CONTROL, ports(3000))
        await task.told(3000)
        opening = asyncio.ensure_future(task.hub.open(3000))
        ident = json.loads(await reader.readline())["open"]
        await task.say(json.dumps({"ctui": 1, "kind": "open", "id": ident}).encode() + b"\n")
        with pytest.raises(NotFound, match="nothing listens on port 3000"):
            await opening


async def test_a_task_that_does_not_answer_costs_a_moment(tmp_path: Path) -> None:
    """What comes too late is closed, and one that reads nothing holds up nobody for long."""
    async with side(tmp_path) as task:
        reader, _ = await task.say(CONTROL, ports(3000))
        await task.told(3000)
        with pytest.raises(Unavailable, match="does not answer"):
            await task.hub.open(3000)
        ident = json.loads(await reader.readline())["open"]
        late = json.dumps({"ctui": 1, "kind": "open", "id": ident, "ok": True}).encode() + b"\n"
        connection, _ = await task.say(late)
        assert await ended(connection)
        while task.hub.ports:  # until it is to connect anew: half a line may be on the way
            attempts = [task.hub.open(3000) for _ in range(1000)]
            for attempt in await asyncio.gather(*attempts, return_exceptions=True):
                assert isinstance(attempt, Unavailable)
