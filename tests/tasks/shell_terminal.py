"""A person's terminal with `ctui task shell` in it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import termios
from collections.abc import Mapping
from pathlib import Path

from tests.warm import COMMAND

_SECONDS = 30.0
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A command on a terminal of its own, in which somebody types."""

    def __init__(self, ours: int, process: asyncio.subprocess.Process) -> None:
        self._ours = ours
        self.process = process
        self.shown = ""
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(ours, self._read)

    @classmethod
    async def open(
        cls, folder: Path, environ: Mapping[str, str], *argv: str, rows: int = 24, columns: int = 80
    ) -> Terminal:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = await asyncio.create_subprocess_exec(
            COMMAND[0],
            *("-I", "-S", "-c", _TAKE_TERMINAL),
            *argv,
            cwd=folder,
            env={**environ, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        return cls(ours, process)

    def _read(self) -> None:
        try:
            data = os.read(self._ours, 1 << 16)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._ours)
        self.shown += data.decode("utf-8", "replace")
        self._news.set()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def shows(self, text: str) -> None:
        """Wait until a text is on the screen, and forget everything up to it."""
        try:
            async with asyncio.timeout(_SECONDS):
                while text not in self.shown:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} is not in {self.shown!r}") from None
        self.shown = self.shown.partition(text)[2]

    async def exit_code(self) -> int:
        return await asyncio.wait_for(self.process.wait(), _SECONDS)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        if self.process.returncode is None:
            self.process.kill()
