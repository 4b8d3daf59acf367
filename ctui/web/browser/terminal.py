"""A program on a terminal of its own, which is a page in a browser."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.claude.login.platforms import VARIABLES
from ctui.client.access.ports import SERVED
from ctui.errors import Unavailable
from ctui.gateway.custom_headers import CUSTOM_HEADERS
from ctui.git.process.caller import TRAVELS

_CHUNK = 1 << 16
_PATIENCE = 2.0
"""Seconds that a program has to end when it is asked to."""

_STUCK = 10.0
"""Seconds without reading after which a program is taken for dead."""

_NEEDED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR"),
        *("SSH_AUTH_SOCK", "GITHUB_TOKEN"),
        *("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND", "PYTHONPATH", "NO_COLOR"),
        *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"),
        *("CLAUDE_CODE_OAUTH_TOKEN", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *(*TRAVELS, *VARIABLES, CUSTOM_HEADERS),
    }
)
_NEEDED_PREFIXES = ("CTUI_", "XDG_", "LC_", "DOCKER_", "GIT_", "GH_")
"""Not among them: DISPLAY, BROWSER, EDITOR and their like. What they start would open at the
machine that serves, where the person is not."""


class Size(NamedTuple):
    """Size of a terminal, in cells."""

    columns: int
    rows: int


class Stuck(Exception):
    """Error of a program that does not read what is typed."""


def program_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the program needs of the server's environment, with the kind of terminal."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _NEEDED or name.startswith(_NEEDED_PREFIXES)
    }
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", SERVED: "1"}


class Terminal:
    """Terminal with a program, used from one event loop; one reader and one writer at a time."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self._process = process
        self._master = master
        self._ended = asyncio.ensure_future(process.wait())

    @classmethod
    async def start(
        cls, command: Sequence[str], folder: Path, environ: Mapping[str, str], size: Size
    ) -> Terminal:
        """Start a program.

        Args:
            command: what is run, and its arguments.
            folder: where it starts.
            environ: its whole environment.
            size: of its terminal.

        Raises:
            Unavailable: there is no terminal or no process left.
        """
        try:
            master, slave = os.openpty()
        except OSError as error:
            raise Unavailable(f"there is no terminal left: {error.strerror}") from error
        try:
            os.set_blocking(master, False)
            _set_size(slave, size)
            attach = str(Path(__file__).with_name("attach.py"))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", attach, *command),
                cwd=folder,
                env=environ,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
            )
        except OSError as error:
            os.close(master)
            raise Unavailable(f"the dashboard does not start: {error.strerror}") from error
        finally:
            os.close(slave)
        return cls(process, master)

    async def read(self) -> bytes:
        """Return what the program wrote, at most 64 KiB; b"" when it has ended.

        Nothing is read ahead: a program whose output nobody takes has to wait.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self._master, _CHUNK)
            except BlockingIOError:
                # It may have left somebody behind who keeps the terminal open.
                if self._ended.done():
                    return b""
            except OSError:
                return b""  # EIO: nobody has the other end open
            await self._until(loop.add_reader, loop.remove_reader)

    async def write(self, data: bytes) -> None:
        """Type something, or nothing after the program's end.

        Raises:
            Stuck: it does not read.
        """
        loop = asyncio.get_running_loop()
        view = memoryview(data)
        while view and not self._ended.done():
            try:
                view = view[os.write(self._master, view) :]
            except BlockingIOError:
                try:
                    async with asyncio.timeout(_STUCK):
                        await self._until(loop.add_writer, loop.remove_writer)
                except TimeoutError:
                    raise Stuck from None
            except OSError:
                return

    def resize(self, size: Size) -> None:
        with suppress(OSError):
            _set_size(self._master, size)

    async def end(self) -> int:
        """Ask it to end, then make it; its exit code, or minus the signal that ended it."""
        if not self._ended.done():
            self._signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(asyncio.shield(self._ended), _PATIENCE)
            except (TimeoutError, asyncio.CancelledError):
                self._signal(signal.SIGKILL)
        return await self._ended

    def close(self) -> None:
        """Give the terminal back, when nobody reads or writes it any more."""
        os.close(self._master)

    def _signal(self, number: signal.Signals) -> None:
        # It leads a process group: what it has started itself ends with it.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    async def _until(
        self, add: Callable[[int, Callable[[], None]], None], remove: Callable[[int], object]
    ) -> None:
        """Wait until the terminal is ready, or the program has ended."""
        ready = asyncio.get_running_loop().create_future()
        add(self._master, lambda: None if ready.done() else ready.set_result(None))
        try:
            await asyncio.wait({ready, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            remove(self._master)


def _set_size(descriptor: int, size: Size) -> None:
    # struct winsize in tty_ioctl(4): rows, columns, and two numbers of pixels that nobody reads.
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))
