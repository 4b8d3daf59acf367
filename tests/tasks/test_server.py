"""Streams of the driver's socket: what a front end leaves behind, and one that does not read."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from ctui import rpc
from ctui.config import Config
from ctui.paths import Paths
from ctui.redaction.redactor import Redactor
from ctui.tasks import calls
from ctui.tasks.calls import Update
from ctui.tasks.driver.server import Server
from ctui.tasks.engine import TaskEngine
from ctui.tasks.journal.archives import Journals
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store

_LIMIT = 60
"""Seconds for what takes none."""


def _task(name: str, result: str = "") -> Task:
    return Task(
        id=name,
        repository="r",
        worktree=name,
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="go",
        state=TaskState.ENDED,
        result=result,
    )


class _Driver:
    """A server with its tasks, without an engine."""

    def __init__(self, home: Path) -> None:
        paths = Paths.from_environment({"CTUI_HOME": str(home)})
        self.ended = asyncio.Semaphore(0)
        """Released once for each connection that has ended."""
        self.store = Store(":memory:")
        self.journals = Journals(paths, self.store, Redactor(()))
        self.server = Server(lambda: None, self.ended.release, engine="unix:///a")
        self.server.tasks = self.tasks = TaskEngine(
            Services(
                store=self.store,
                runner=cast("Any", None),
                workspace=cast("Any", None),
                logins=cast("Any", None),
                journals=self.journals,
                network=cast("Any", None),
                instance="0123456789abcdef",
                config=Config,
                publish=self.server.publish,
                now=time.time_ns,
            ),
            set(),
        )
        self._socket = home / "driver.sock"

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self.server.serve, path=self._socket)

    async def refusal(self, call: Any) -> str:
        """Make a call that is refused; return what is said."""
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=rpc.MAX_LINE)
        await reader.readline()
        writer.write(
            rpc.encode(rpc.Request(1, call.method, msgspec.Raw(msgspec.json.encode(call))))
        )
        failure = msgspec.json.decode(await reader.readline(), type=rpc.Reply).failure
        writer.close()
        assert failure is not None
        return failure.message

    async def call(self, call: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Make a call on a connection of its own; return that after the reply."""
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=rpc.MAX_LINE)
        await reader.readline()
        writer.write(
            rpc.encode(rpc.Request(1, call.method, msgspec.Raw(msgspec.json.encode(call))))
        )
        assert msgspec.json.decode(await reader.readline(), type=rpc.Reply).failure is None
        return reader, writer

    async def follow_and_leave(self, task: str) -> None:
        _, writer = await self.call(calls.Follow(task))
        writer.close()
        await self.ended.acquire()


@pytest.fixture
async def driver(tmp_path: Path) -> AsyncIterator[_Driver]:
    driver = _Driver(tmp_path)
    async with asyncio.timeout(_LIMIT):
        listening = await driver.listen()
        yield driver
        listening.close()


async def test_tasks_that_were_followed_leave_no_file_open(driver: _Driver) -> None:
    names = [f"task-{number}" for number in range(20)]
    for name in names:
        driver.store.tasks.add(_task(name))
    await driver.follow_and_leave(names[0])
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for name in names:
        await driver.follow_and_leave(name)
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before


async def test_a_task_for_another_engine_is_refused(driver: _Driver) -> None:
    """A driver keeps its engine, so `DOCKER_HOST` of a later shell would mean nothing."""
    start = calls.StartTask("one", "r", "w", None, None, None, "go", engine="tcp://elsewhere:2375")
    said = await driver.refusal(start)
    assert said == (
        "the driver of your tasks works with the engine unix:///a, not tcp://elsewhere:2375"
    )
    assert driver.store.tasks.list(removed=True) == []


async def test_the_last_who_leaves_closes_the_journal(driver: _Driver) -> None:
    driver.store.tasks.add(_task("one"))
    _, other = await driver.call(calls.Follow("one"))
    journal = driver.journals.of("one")
    await driver.follow_and_leave("one")
    assert journal.followed
    assert driver.journals.of("one") is journal
    other.close()
    await driver.ended.acquire()
    assert driver.journals.of("one") is not journal


async def test_the_journal_of_a_task_at_work_stays_open(driver: _Driver) -> None:
    """It has the parts of what is being written, for who comes next."""
    driver.store.tasks.add(_task("one"))
    driver.tasks._actor(driver.store.tasks.get("one"))
    journal = driver.journals.of("one")
    await driver.follow_and_leave("one")
    assert driver.journals.of("one") is journal


async def test_a_watcher_that_does_not_read_is_cut_off_while_it_is_told_all(
    driver: _Driver,
) -> None:
    for number in range(30):
        driver.store.tasks.add(_task(f"task-{number}", result="x" * 100_000))
    reader, writer = await driver.call(calls.Watch())
    for _ in range(200):
        driver.server.publish(Update(task=_task("task-0", result="x" * 100_000)))
    assert not driver.server._beginning
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await reader.readexactly(1 << 40)
    await driver.ended.acquire()
    assert not driver.server._watchers
    writer.close()


async def test_a_watcher_hears_what_changes_while_it_is_told_all(driver: _Driver) -> None:
    for number in range(30):
        driver.store.tasks.add(_task(f"task-{number}", result="x" * 100_000))
    reader, writer = await driver.call(calls.Watch())
    assert driver.server._beginning
    driver.server.publish(Update(removed="task-0"))
    lines = [msgspec.json.decode(await reader.readline(), type=Update) for _ in range(32)]
    assert lines[-1] == Update(removed="task-0")
    driver.server.publish(Update(removed="task-1"))
    assert msgspec.json.decode(await reader.readline(), type=Update).removed == "task-1"
    writer.close()


async def test_a_watcher_whose_begin_fails_does_not_wait_for_ever(
    driver: _Driver, caplog: pytest.LogCaptureFixture
) -> None:
    """It connects again; the log says why."""
    driver.store.close()
    with caplog.at_level(logging.ERROR):
        reader, writer = await driver.call(calls.Watch())
        assert await reader.read() == b""
    assert "a watcher cannot be told what there is" in caplog.text
    assert not driver.server._watchers
    writer.close()
