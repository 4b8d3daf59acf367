"""MCP's stdio transport (2025-11-25, "Transports"): one JSON-RPC message a line, both ways.

The SDK's own reader sits in a thread that nothing can cancel, so that a signal does not end the
process before stdin does; and what is no message it drops without a word. Here two threads read
and write that the interpreter does not wait for, and whoever sends nonsense is told so.
"""

from __future__ import annotations

import asyncio
import os
import queue
import select
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import anyio
import msgspec
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

MAX_LINE = 64 << 20
"""Bytes of one message: the longest prompt there is, escaped, and much more."""

_READ_SIZE = 1 << 16
_LOOK_SECONDS = 0.1
_SOCKET_HUNG_UP = getattr(select, "POLLRDHUP", 0)
"""Event of a closed socket, where the system tells (poll(2)); a pipe needs no asking."""


class Streams(NamedTuple):
    """Streams that the SDK's server reads from and writes to."""

    incoming: MemoryObjectReceiveStream[SessionMessage | Exception]
    outgoing: MemoryObjectSendStream[SessionMessage]


@asynccontextmanager
async def stdio(ended: Callable[[], None]) -> AsyncIterator[Streams]:
    """Serve this process's stdin and stdout, which nothing else in the process has meanwhile.

    Args:
        ended: called when the client closed stdin or reads stdout no more, before anything else
            learns of it; from any thread, and possibly again.
    """
    reading, writing = _take_over()
    to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, to_client = anyio.create_memory_object_stream[SessionMessage](0)
    replies = outgoing.clone()
    writer = _Writer(writing)

    async def take(line: bytes) -> None:
        message = _message(line)
        if isinstance(message, SessionMessage):
            await to_server.send(message)
        else:
            await replies.send(SessionMessage(message))

    async def end() -> None:
        ended()
        await to_server.aclose()
        await replies.aclose()

    async def write() -> None:
        async with to_client:
            async for item in to_client:
                text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                if not await writer.write(text.encode() + b"\n"):
                    await end()
                    return

    loop = asyncio.get_running_loop()

    def read() -> None:
        with suppress(Exception):  # the loop is gone: nobody wants to know any more
            for line in _lines(reading):
                if not _taken(asyncio.run_coroutine_threadsafe(take(line), loop), reading):
                    ended()
                    return
            ended()  # from here: the loop may be busy with a call for long
            asyncio.run_coroutine_threadsafe(end(), loop).result()

    job = asyncio.create_task(write())
    threading.Thread(target=read, name="stdin", daemon=True).start()
    try:
        yield Streams(incoming, outgoing)
    finally:
        job.cancel()


def _take_over() -> tuple[int, int]:
    """Return descriptors of the client; 0 and 1 lead elsewhere from now on, for whatever prints."""
    sys.stdout.flush()
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return reading, writing


def _lines(descriptor: int) -> Iterator[bytes]:
    """Yield lines until the end; of one that is too long the beginning, which is no message."""
    parts: list[bytes] = []
    size = 0
    while chunk := _read(descriptor):
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield b"".join([*parts, line])
            parts, size = [], 0
        if rest and size < MAX_LINE:
            parts.append(rest)
            size += len(rest)


def _taken(job: Future[None], descriptor: int) -> bool:
    """Wait until a message is taken; False if the client hangs up first.

    One that reads nothing keeps its messages from being taken, and us from the end of them.
    """
    while not wait([job], _LOOK_SECONDS).done:
        if _hung_up(descriptor):
            return False
    job.result()
    return True


def _hung_up(descriptor: int) -> bool:
    """Return True if the client has closed its end, though there is more to read."""
    poll = select.poll()
    poll.register(descriptor, _SOCKET_HUNG_UP)
    hung_up = select.POLLHUP | select.POLLERR | _SOCKET_HUNG_UP
    return any(event & hung_up for _, event in poll.poll(0))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _READ_SIZE)
    except OSError:
        return b""


def _message(line: bytes) -> SessionMessage | JSONRPCError:
    """Return the message of a line, or what its sender is told instead."""
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except (ValidationError, RecursionError):
        return _complaint(line)
    if isinstance(message, JSONRPCNotification) and _has_id(line):
        # It waits for an answer, though its id is none.
        return _complaint(line)
    return SessionMessage(message)


def _has_id(line: bytes) -> bool:
    return msgspec.json.decode(line, type=_Id).id is not msgspec.UNSET


def _complaint(line: bytes) -> JSONRPCError:
    """Return the error of JSON-RPC 2.0 (5.1) for a line that is no message, with its id if any."""
    try:
        found = msgspec.json.decode(line, type=_Request)
    except (msgspec.ValidationError, RecursionError):
        found = _Request()
    except msgspec.DecodeError:
        error = ErrorData(code=PARSE_ERROR, message="Parse error: write one JSON object a line")
        return JSONRPCError(jsonrpc="2.0", id=None, error=error)
    error = ErrorData(code=INVALID_REQUEST, message="Invalid request: this is no JSON-RPC 2.0")
    return JSONRPCError(jsonrpc="2.0", id=found.id, error=error)


class _Id(msgspec.Struct):
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Request(msgspec.Struct):
    id: int | str | None = None


class _Writer:
    """Writer in a thread: a client that does not read makes nobody else wait."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[tuple[bytes, asyncio.Future[bool]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="stdout", daemon=True).start()

    async def write(self, data: bytes) -> bool:
        """Write everything, and return True if anybody still reads."""
        done = self._loop.create_future()
        self._queue.put((data, done))
        written: bool = await done
        return written

    def _run(self) -> None:
        while True:
            data, done = self._queue.get()
            written = self._write_all(data)
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(_settle, done, written)

    def _write_all(self, data: bytes) -> bool:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            return False
        return True


def _settle(done: asyncio.Future[bool], written: bool) -> None:
    if not done.cancelled():
        done.set_result(written)
