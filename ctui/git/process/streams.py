"""Pipes and end of a process on an event loop, without threads or asyncio's transports."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

_CHUNK = 256 * 1024


def read(pipes: ExitStack, pipe: IO[bytes], take: Callable[[bytes], None]) -> asyncio.Future[None]:
    """Give what comes out of a pipe to `take`, until its end.

    Args:
        pipes: closes it.
        pipe: of a process.
        take: called with each piece; what it raises ends the reading.
    """
    loop = asyncio.get_running_loop()
    end: asyncio.Future[None] = loop.create_future()
    descriptor = _opened(pipes, pipe)

    def ready() -> None:
        try:
            data = os.read(descriptor, _CHUNK)
            if data:
                take(data)
                return
        except BlockingIOError:
            return
        except Exception as error:  # noqa: BLE001 - whoever awaits the end gets it
            _finish(end, error)
        else:
            _finish(end)
        loop.remove_reader(descriptor)

    loop.add_reader(descriptor, ready)
    pipes.callback(loop.remove_reader, descriptor)
    return end


def write(pipes: ExitStack, pipe: IO[bytes], data: bytes) -> asyncio.Future[None]:
    """Write into a pipe, and close it.

    A process that ends early says why on stderr, so that what it does not read is no error.
    """
    loop = asyncio.get_running_loop()
    end: asyncio.Future[None] = loop.create_future()
    descriptor = _opened(pipes, pipe)
    rest = memoryview(data)

    def stop() -> None:
        # Once it is closed its number may be another's.
        if not pipe.closed:
            loop.remove_writer(descriptor)
            pipe.close()

    def ready() -> None:
        nonlocal rest
        try:
            rest = rest[os.write(descriptor, rest) :] if rest else rest
        except BlockingIOError:
            return
        except OSError:
            rest = rest[:0]
        if not rest:
            stop()
            _finish(end)

    loop.add_writer(descriptor, ready)
    pipes.callback(stop)
    return end


async def ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process, and return its exit status."""
    if process.poll() is not None:
        return process.returncode
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # no Linux, or one before 5.3
        return await asyncio.to_thread(process.wait)
    loop = asyncio.get_running_loop()
    end: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _finish, end)
    try:
        await end
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()


def _opened(pipes: ExitStack, pipe: IO[bytes]) -> int:
    pipes.enter_context(pipe)
    os.set_blocking(pipe.fileno(), False)
    return pipe.fileno()


def _finish(end: asyncio.Future[None], error: Exception | None = None) -> None:
    if end.done():
        return
    if error is None:
        end.set_result(None)
    else:
        end.set_exception(error)
