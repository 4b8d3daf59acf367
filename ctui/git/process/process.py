"""Running of one process to its end, with bounded output and without leaving its group behind.

Also of other work that must not be left halfway.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from ctui.reaping import reap

held_locks: ContextVar[tuple[int, ...]] = ContextVar("held_locks", default=())
"""Descriptors that every process inherits.

A lock of flock(2) is free only when the last process that has it is gone: so who takes it after a
crash knows that no git of ours is still at work.
"""

Done = TypeVar("Done")

_STDERR_LIMIT = 8 * 1024
_STDOUT_LIMIT = 512 * 1024 * 1024
_CHUNK = 256 * 1024
_NICENESS = 10
_DRAIN_SECONDS = 1.0
_LINE_END = re.compile(rb"[\r\n]")


async def communicate(
    argv: Sequence[str],
    env: Mapping[str, str],
    input: bytes | None,  # noqa: A002 - the name that subprocess uses
    *,
    nice: bool,
    cwd: Path | None = None,
    heard: Callable[[str], None] | None = None,
) -> tuple[bytes | None, bytes, int]:
    """Run a process to its end; kill its whole group if the caller stops waiting.

    Args:
        argv: the program and its arguments.
        env: its whole environment.
        input: what stdin gives; without it stdin is empty.
        nice: give way to everything else that wants the processor.
        cwd: where it runs; without it the root, which nobody unmounts.
        heard: told each line of stderr as it comes, also one that writes over the last.

    Returns:
        stdout (None where it was more than 512 MiB), the last 8 KiB of stderr, the exit status.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd or "/",
        env=env,
        stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        pass_fds=held_locks.get(),
    )
    try:
        if nice:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PGRP, process.pid, _NICENESS)
        stdout, stderr, _ = await asyncio.gather(
            _read_all(process.stdout, process),
            _read_end(process.stderr, heard),
            _write(process, input),
        )
        return stdout, stderr, await process.wait()
    finally:
        if process.returncode is None:
            _kill_group(process)
            await reap(process)
            await _drain(process)


async def to_the_end(work: Coroutine[Any, Any, Done]) -> Done:
    """Await what must not be left halfway; a cancellation takes effect after it.

    Unlike `asyncio.shield`, it makes the caller wait, so that the caller keeps its locks until
    the end.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


async def _read_all(
    stream: asyncio.StreamReader | None, process: asyncio.subprocess.Process
) -> bytes | None:
    """Return all of a stream, or None if it exceeded the limit."""
    assert stream is not None  # noqa: S101 - it was asked for as a pipe
    parts: list[bytes] = []
    size = 0
    while chunk := await stream.read(_CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if size > _STDOUT_LIMIT:
            _kill_group(process)
            return None
    return b"".join(parts)


async def _read_end(
    stream: asyncio.StreamReader | None, heard: Callable[[str], None] | None
) -> bytes:
    assert stream is not None  # noqa: S101 - it was asked for as a pipe
    end = line = b""
    while chunk := await stream.read(_CHUNK):
        end = (end + chunk)[-_STDERR_LIMIT:]
        if heard is not None:
            *lines, line = _LINE_END.split((line + chunk)[-_STDERR_LIMIT:])
            for whole in filter(None, lines):
                heard(whole.decode("utf-8", "replace"))
    return end


async def _write(process: asyncio.subprocess.Process, data: bytes | None) -> None:
    if data is None or process.stdin is None:
        return
    # A process that ends early tells the reason on stderr, so unread input is no error.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Let the pipes of a killed process end: one that is open when its loop closes is an error.

    Who left the group keeps them open; nobody waits for long for that.
    """
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            for stream in (process.stdout, process.stderr):
                while stream is not None and await stream.read(_CHUNK):
                    pass


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
