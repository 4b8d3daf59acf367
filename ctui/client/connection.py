"""One connection to the driver, which is started if it does not run."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import TypeVar

import msgspec

from ctui import __version__, rpc
from ctui.client.lock_holder import holder, is_free
from ctui.daemon.life import BUSY
from ctui.daemon.starting import start, version_numbers
from ctui.errors import CtuiError, Refused, Unavailable
from ctui.paths import Paths, private_folder
from ctui.tasks import calls

T = TypeVar("T")

_ANSWER_SECONDS = 10.0
"""Patience with a driver's first word, and with one that has the lock and does not listen."""

_POLL_SECONDS = 0.05
_LOCK_POLL_SECONDS = 0.5


class Connection:
    """Stream of requests and replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self._ids = itertools.count(1)

    async def call(self, call: calls.Call[T]) -> T:
        """Make one call; only one at a time on a connection.

        Raises:
            CtuiError: what the driver answered.
            Unavailable: the driver went away before it answered.
        """
        request = rpc.Request(next(self._ids), call.method, msgspec.Raw(msgspec.json.encode(call)))
        try:
            self._writer.write(rpc.encode(request))
            await self._writer.drain()
            line = await rpc.read_line(self.reader)
        except OSError:
            line = b""
        if not line:
            raise Unavailable("the driver went away", hint="try again: a new one takes over")
        reply = msgspec.json.decode(line, type=rpc.Reply)
        if reply.failure is not None:
            raise rpc.error_of(reply.failure)
        result: T = msgspec.json.decode(reply.result, type=call.returns)
        return result

    @property
    def broken(self) -> bool:
        """Return True if the driver is known to have gone away."""
        return self.reader.at_eof() or self.reader.exception() is not None

    def close(self) -> None:
        self._writer.close()


async def connect(paths: Paths, environ: Mapping[str, str] | None = None) -> Connection:
    """Connect to the driver of these folders, and start it if need be.

    Args:
        paths: whose driver.
        environ: of a driver that is started; this process's own by default.

    Raises:
        Unavailable: it cannot be started; the message says why.
        Refused: it belongs to a newer ctui.
    """
    private_folder(paths.state)
    for _ in range(3):
        connection = await _try_socket(paths) or await _started(paths, environ)
        with ExitStack() as unless_it_serves:
            unless_it_serves.callback(connection.close)
            if await _same_version(paths, connection):
                unless_it_serves.pop_all()
                return connection
    raise Unavailable("a driver of another version does not go away", hint="see driver.log")


async def stop_driver(paths: Paths) -> int | None:
    """Let the driver of these folders exit, if one runs; return its process id when it is gone.

    The sandboxes go on, and the next driver adopts them.
    """
    connection = await _try_socket(paths)
    if connection is None:
        return None
    try:
        line = await _first_line(paths, connection)
        if not line:
            return None
        await _hand_over(connection)
        return _hello(line).pid
    finally:
        connection.close()


async def driver_pid(paths: Paths) -> int | None:
    """Return the process id of the driver that runs, if one does.

    Raises:
        Unavailable: it has stopped answering.
    """
    connection = await _try_socket(paths)
    if connection is None:
        return None
    try:
        line = await _first_line(paths, connection)
        return _hello(line).pid if line else None
    finally:
        connection.close()


async def _try_socket(paths: Paths) -> Connection | None:
    try:
        reader, writer = await asyncio.open_unix_connection(
            str(paths.driver_socket), limit=rpc.MAX_LINE
        )
    except OSError:
        return None
    return Connection(reader, writer)


async def _first_line(paths: Paths, connection: Connection) -> bytes:
    """Read the driver's hello; a process that was stopped takes connections and says nothing."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await rpc.read_line(connection.reader)
    except TimeoutError:
        raise _silent(paths) from None


async def _same_version(paths: Paths, connection: Connection) -> bool:
    """Return True if the driver has our version; ask an older one to hand over."""
    line = await _first_line(paths, connection)
    if not line:
        return False
    hello = _hello(line)
    if (hello.protocol, hello.version) == (rpc.PROTOCOL, __version__):
        return True
    if (hello.protocol, version_numbers(hello.version)) > (
        rpc.PROTOCOL,
        version_numbers(__version__),
    ):
        raise Refused(
            f"a driver of ctui {hello.version} runs, and this is {__version__}",
            hint="use the newer ctui; your tasks go on",
        )
    with suppress(CtuiError):
        await _hand_over(connection)
    return False


async def _hand_over(connection: Connection) -> None:
    """Ask a driver to go, and wait until it is gone."""
    with suppress(Unavailable):  # it went before it said so
        await connection.call(calls.HandOver())
    while await rpc.read_line(connection.reader):
        pass


def _hello(line: bytes) -> rpc.Hello:
    try:
        return msgspec.json.decode(line, type=rpc.Hello)
    except msgspec.DecodeError as error:
        raise Unavailable(
            "something that is no driver answers at the driver's socket",
            hint="end it, and remove the socket that `ctui doctor` names",
        ) from error


async def _started(paths: Paths, environ: Mapping[str, str] | None) -> Connection:
    """Start a driver and connect to it, or to another process's that has the lock already.

    That one may not listen yet, or die before it does: nothing tells but trying.
    """
    deadline = 0.0
    while True:
        busy = await _start(paths, environ) == BUSY
        if not (busy and deadline):
            deadline = time.monotonic() + _ANSWER_SECONDS
        connection = await _wait_for_socket(paths, deadline, busy=busy)
        if connection is not None:
            return connection
        if time.monotonic() >= deadline:
            raise _silent(paths)


async def _wait_for_socket(paths: Paths, deadline: float, *, busy: bool) -> Connection | None:
    """Connect as soon as a driver listens; None if the time is over, or its lock is free."""
    look_at_lock = time.monotonic() + _LOCK_POLL_SECONDS
    while time.monotonic() < deadline:
        if (connection := await _try_socket(paths)) is not None:
            return connection
        await asyncio.sleep(_POLL_SECONDS)
        if busy and time.monotonic() >= look_at_lock:
            if is_free(paths.driver_lock):
                return None
            look_at_lock = time.monotonic() + _LOCK_POLL_SECONDS
    return None


def _silent(paths: Paths) -> Unavailable:
    pid = holder(paths.driver_lock)
    if pid is None:
        return Unavailable("the driver does not answer", hint=f"see {paths.driver_log}")
    return Unavailable(
        f"the driver (process {pid}) holds {paths.driver_lock} and does not answer",
        hint=f"`kill -9 {pid}`: your tasks go on, and the next command starts another",
    )


async def _start(paths: Paths, environ: Mapping[str, str] | None) -> str:
    """Start a driver, and return its first word."""
    environ = {**(os.environ if environ is None else environ), **paths.environment()}
    return await start("ctui.tasks.driver.process", "driver", paths.driver_log, environ)
