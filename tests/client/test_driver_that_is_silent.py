"""A driver that was stopped, lost its socket, or died with the lock in its hand."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ctui.client import client as client_module
from ctui.client import connection
from ctui.client.client import Client
from ctui.client.connection import connect, driver_pid, stop_driver
from ctui.client.lock_holder import holder, is_free
from ctui.errors import NotFound, Unavailable
from ctui.gateway.link import Link
from ctui.paths import Paths, private_folder
from ctui.tasks.calls import InterruptTask
from ctui.tasks.driver.process import Driver
from ctui.tasks.driver.server import Server

_HOLDER = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), 2); \
print('locked', flush=True); sys.stdin.read()"


@contextmanager
def locked(paths: Paths) -> Iterator[subprocess.Popen[str]]:
    """Another process has the driver's lock, and listens nowhere."""
    private_folder(paths.state)
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(paths.driver_lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_the_holder_of_a_lock_is_named(paths: Paths) -> None:
    """S4: so that the person knows which process to end."""
    assert is_free(paths.driver_lock)
    with locked(paths) as process:
        assert holder(paths.driver_lock) == process.pid
        assert not is_free(paths.driver_lock)
    assert is_free(paths.driver_lock)
    assert holder(paths.driver_lock) is None


async def test_a_driver_without_a_socket_is_named_in_time(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4: it holds the lock, so no other can begin."""
    monkeypatch.setattr(connection, "_ANSWER_SECONDS", 1.0)
    with locked(paths) as process:
        with pytest.raises(Unavailable, match=str(process.pid)) as caught:
            await connect(paths)
        assert f"kill -9 {process.pid}" in caught.value.hint


@pytest.mark.engine
async def test_one_that_died_in_between_is_replaced(paths: Paths) -> None:
    """S4: it was busy when we asked, and is gone before it listens."""
    with locked(paths) as process:
        waiting = asyncio.create_task(connect(paths))
        log = paths.driver_log
        async with asyncio.timeout(20):
            # Ours has started, and found the lock taken.
            while not (log.is_file() and log.stat().st_size):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        process.kill()
        (await waiting).close()
    assert await driver_pid(paths) is not None
    assert await stop_driver(paths) is not None


@pytest.mark.engine
async def test_one_that_is_stopped_in_the_middle_of_a_call_is_named(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4, beside it: the connection is there, and no reply comes."""
    async with Client(paths) as client:
        await client.connect()
        monkeypatch.setattr(connection, "_ANSWER_SECONDS", 0.5)
        monkeypatch.setattr(client_module, "_PATIENCE_SECONDS", 0.5)
        pid = await driver_pid(paths)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(Unavailable, match=str(pid)):
                await client.call(InterruptTask("nobody"))
        finally:
            os.kill(pid, signal.SIGCONT)
        monkeypatch.setattr(connection, "_ANSWER_SECONDS", 10.0)
        with pytest.raises(NotFound):
            await client.call(InterruptTask("nobody"))
    assert await stop_driver(paths) == pid


async def test_one_that_was_stopped_is_named(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """S4, beside it: the kernel takes our connection, and nobody says hello."""
    monkeypatch.setattr(connection, "_ANSWER_SECONDS", 0.5)
    private_folder(paths.state)
    private_folder(paths.driver_socket.parent)
    with socket.socket(socket.AF_UNIX) as listener, locked(paths) as process:
        listener.bind(str(paths.driver_socket))
        listener.listen()
        for ask in (connect, driver_pid, stop_driver):
            with pytest.raises(Unavailable, match=str(process.pid)):
                await ask(paths)


async def test_one_that_leaves_at_once_leaves_no_connection_open(paths: Paths) -> None:
    """S4, beside it: it hangs up before it says hello, each time."""
    private_folder(paths.state)
    private_folder(paths.driver_socket.parent)
    left: asyncio.Queue[bytes] = asyncio.Queue()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        left.put_nowait(await reader.read())
        writer.close()

    async with await asyncio.start_unix_server(hang_up, str(paths.driver_socket)):
        with pytest.raises(Unavailable, match="does not go away"):
            await connect(paths)
        assert await stop_driver(paths) is None
        async with asyncio.timeout(10):
            assert [await left.get() for _ in range(4)] == [b""] * 4


@pytest.mark.engine
async def test_who_waits_for_a_driver_to_go_may_end_its_gateway(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the demo does: a link that is still there then would start the gateway anew."""
    private_folder(paths.state)
    said: list[str] = []
    close, hang_up = Link.close, Server.hang_up

    async def closed(link: Link) -> None:
        await close(link)
        said.append("no gateway is started any more")

    async def hung_up(server: Server) -> None:
        said.append("whoever waits hears of it")
        await hang_up(server)

    monkeypatch.setattr(Link, "close", closed)
    monkeypatch.setattr(Server, "hang_up", hung_up)
    driver = Driver(paths)
    await driver.run(driver.stop)
    assert said == ["no gateway is started any more", "whoever waits hears of it"]
