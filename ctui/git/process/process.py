"""Running of one process to its end, with bounded output and without leaving its group behind.

Also of other work that must not be left halfway.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from ctui.git.process.streams import ended, read, write

held_locks: ContextVar[tuple[int, ...]] = ContextVar("held_locks", default=())
"""Descriptors that every process inherits.

A lock of flock(2) is free only when the last process that has it is gone: so who takes it after a
crash knows that no git of ours is still at work.
"""

Done = TypeVar("Done")

_STDERR_LIMIT = 8 * 1024
_STDOUT_LIMIT = 512 * 1024 * 1024
_NICENESS = 10
_LINE_END = re.compile(rb"[\r\n]")


async def communicate(
    argv: Sequence[str],
    env: Mapping[str, str] | Mapping[bytes, bytes],
    input: bytes | None,  # noqa: A002 - the name that subprocess uses
    *,
    nice: bool,
    cwd: Path | None = None,
    heard: Callable[[str], None] | None = None,
) -> tuple[bytes | None, bytes, int]:
    """Run a process to its end; kill its whole group if the caller stops waiting.

    It is not asyncio's own subprocess, which starts a thread for each and takes twice as long.

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
    process = subprocess.Popen(  # noqa: ASYNC220 - asyncio's own begins so too
        argv,
        bufsize=0,
        cwd=cwd or "/",
        env=env,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=held_locks.get(),
    )
    with ExitStack() as pipes:
        try:
            if nice:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PGRP, process.pid, _NICENESS)
            stdout, stderr = _Output(process), _LastLines(heard)
            ends: list[asyncio.Future[None]] = []
            if process.stdout is not None and process.stderr is not None:
                ends.append(read(pipes, process.stdout, stdout.take))
                ends.append(read(pipes, process.stderr, stderr.take))
            if process.stdin is not None and input is not None:
                ends.append(write(pipes, process.stdin, input))
            await asyncio.gather(*ends)
            return stdout.all, stderr.end, await ended(process)
        finally:
            if process.returncode is None:
                _kill_group(process)
                await to_the_end(ended(process))


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


class _Output:
    """All that a process writes; it is killed if that is more than the limit."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._parts: list[bytes] = []
        self._size = 0

    def take(self, data: bytes) -> None:
        if self._size > _STDOUT_LIMIT:
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size > _STDOUT_LIMIT:
            self._parts.clear()
            _kill_group(self._process)

    @property
    def all(self) -> bytes | None:
        return b"".join(self._parts) if self._size <= _STDOUT_LIMIT else None


class _LastLines:
    """The end of what a process writes, which is told line by line as it comes."""

    def __init__(self, heard: Callable[[str], None] | None) -> None:
        self._heard = heard
        self._line = b""
        self.end = b""

    def take(self, data: bytes) -> None:
        self.end = (self.end + data)[-_STDERR_LIMIT:]
        if self._heard is not None:
            *lines, self._line = _LINE_END.split((self._line + data)[-_STDERR_LIMIT:])
            for whole in filter(None, lines):
                self._heard(whole.decode("utf-8", "replace"))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
