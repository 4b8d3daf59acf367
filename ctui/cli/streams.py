"""The person's end of a command in a sandbox: stdin, stdout, stderr, or a terminal."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ctui.sandbox.commands import Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctui.client.access.shells import Signal, TaskProcess
    from ctui.sandbox.commands import SandboxProcess

_READ_SIZE = 1 << 16
_SIGPIPE = 128 + signal.SIGPIPE
_SIGNALS: dict[signal.Signals, Signal] = {
    signal.SIGHUP: "HUP",
    signal.SIGINT: "INT",
    signal.SIGTERM: "TERM",
}


class Streams:
    """The descriptors 0, 1 and 2 as the ends of a process elsewhere."""

    def __init__(
        self,
        process: TaskProcess,
        *,
        terminal: bool,
        typed: Callable[[], None],
        complain: Callable[[bytes], None] | None = None,
    ) -> None:
        """Prepare to pass everything on.

        Args:
            process: whose ends they are.
            terminal: True if it has one, and stdin is one too.
            typed: called when there is input.
            complain: told what comes on stderr, instead of its being written as it is.
        """
        self._complain = complain
        self._process = process
        self._streams: SandboxProcess = process.streams
        self._terminal = terminal
        self._typed = typed
        # A reader of ours that is slow must not hold up the loop, and one thread keeps the order.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="output")

    async def carry(self) -> int | None:
        """Pass everything on until the process has ended; return its exit code.

        None says that nobody knows it. A signal goes to the process and ends this too.
        """
        loop = asyncio.get_running_loop()
        over: asyncio.Future[signal.Signals] = loop.create_future()
        for number in _SIGNALS:
            loop.add_signal_handler(number, _settle, over, number)
        if self._terminal:
            loop.add_signal_handler(signal.SIGWINCH, self._resize)
        output = asyncio.create_task(self._pass_out())
        feeding = asyncio.create_task(self._pass_in())
        try:
            with raw_terminal() if self._terminal else _nothing():
                ends: set[asyncio.Future[Any]] = {output, over}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                said = over.result()
                await self._process.hang_up(_SIGNALS[said])
                return 128 + said
            return output.result() or await self._streams.exit_code()
        finally:
            for job in (output, feeding):
                job.cancel()
            for one in (*_SIGNALS, signal.SIGWINCH):
                loop.remove_signal_handler(one)
            with suppress(ValueError, OSError):
                loop.remove_reader(0)
            self._streams.close()
            self._pool.shutdown(wait=False)

    def _resize(self) -> None:
        size = terminal_size()
        job = asyncio.get_running_loop().create_task(self._streams.resize(size))
        self._resizing = job  # the loop keeps no task alive

    async def _pass_out(self) -> int | None:
        loop = asyncio.get_running_loop()
        while said := await self._streams.read():
            for stream, data in said:
                if stream == "err" and self._complain is not None:
                    self._complain(data)
                    continue
                number = 1 if stream == "out" else 2
                try:
                    await loop.run_in_executor(self._pool, write_all, number, data)
                except BrokenPipeError:
                    await self._process.hang_up("HUP")
                    return _SIGPIPE
        return None

    async def _pass_in(self) -> None:
        reader = Input()
        with suppress(OSError):
            while data := await reader.read():
                self._typed()
                await self._streams.write(data)
            if not self._terminal:
                await self._streams.end_input()


class Input:
    """Descriptor 0 as it is read: a terminal, a pipe, a file or nothing at all."""

    async def read(self) -> bytes:
        """Return what there is, as soon as there is any; nothing at its end."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        try:
            loop.add_reader(0, _wake, ready)
        except PermissionError:  # a file is always ready, and epoll takes none
            return await asyncio.to_thread(os.read, 0, _READ_SIZE)
        except OSError:
            return b""
        try:
            await ready
        finally:
            loop.remove_reader(0)
        return os.read(0, _READ_SIZE)


def _settle(over: asyncio.Future[signal.Signals], said: signal.Signals) -> None:
    if not over.done():
        over.set_result(said)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def write_all(number: int, data: bytes) -> None:
    """Write everything, also where whoever gave the descriptor made it non-blocking."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(number, view) :]
        except BlockingIOError:
            select.select([], [number], [])


def terminal_size() -> Size:
    """Return the size of the terminal that stdout or stdin is."""
    for number in (1, 0):
        with suppress(OSError):
            found = os.get_terminal_size(number)
            if found.lines and found.columns:
                return Size(found.lines, found.columns)
    return Size(24, 80)


@contextmanager
def raw_terminal() -> Iterator[None]:
    """Give every key to whoever reads stdin, ctrl-C too, and take that back at the end."""
    before: list[Any] = termios.tcgetattr(0)
    try:
        tty.setraw(0, termios.TCSADRAIN)  # what was typed already is for the shell
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def is_terminal() -> bool:
    """Return True where both what is typed and what is shown is a terminal's."""
    return sys.stdin.isatty() and sys.stdout.isatty()
