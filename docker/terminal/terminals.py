"""Programs on terminals of their own, in a task's sandbox, with a model of each screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from typing import Any

import pyte

MOST = 4
ROWS, COLUMNS = 24, 80
_QUIET = 0.25
"""Seconds without output after which a screen counts as settled."""
_FIRST = 1.0
"""Seconds in which a program may not have shown anything yet."""
_SETTLE = 2.0
_PORTION = 1 << 16
_PART = 1024
"""Bytes of input at once: a terminal's queue is short, and a program may not read."""
KEYS = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "page-up": "\x1b[5~",
    "page-down": "\x1b[6~",
    **{f"ctrl-{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}


class Wrong(Exception):
    """A request that cannot be carried out; the words are for the model."""


class Terminal:
    """One program, until it is closed."""

    def __init__(self, command: str, rows: int, columns: int) -> None:
        self.command = command
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        pid, self._fd = pty.fork()
        if pid == 0:
            environment = {
                **os.environ,
                "TERM": "linux",
                "LINES": str(rows),
                "COLUMNS": str(columns),
            }
            argv = ["bash", "-c", command] if command else ["bash", "-i"]
            try:
                os.execvpe("bash", argv, environment)  # noqa: S606 - that is its work
            finally:
                os._exit(127)
        self._pid = pid
        self.status: int | None = None
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self._fd, False)

    def write(self, data: bytes) -> None:
        """Type something, and take what is shown meanwhile."""
        end = time.monotonic() + _SETTLE
        while data and self.status is None:
            if time.monotonic() > end:
                raise Wrong(f"the program does not read: {len(data)} bytes were not typed")
            try:
                data = data[os.write(self._fd, data[:_PART]) :]
            except BlockingIOError:
                self._read(0.05)
            except OSError:
                self._reap()
                return

    def settle(self, wanted: str = "", seconds: float = _SETTLE) -> None:
        """Take output until it is quiet, or with `wanted` until that is on the screen."""
        begin = time.monotonic()
        shown = False
        while (left := begin + seconds - time.monotonic()) > 0:
            news = self._read(min(left, _QUIET))
            shown = shown or news
            silent = shown or time.monotonic() - begin > _FIRST
            if self.status is not None:
                return
            if wanted in self.text() if wanted else silent and not news:
                return

    def text(self) -> str:
        """Return the screen's lines, without blanks at their ends and lines below the last one."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n")

    def state(self) -> str:
        """Return the screen, and one line about it."""
        cursor = self._screen.cursor
        how = f"cursor in line {cursor.y + 1}, column {cursor.x + 1}"
        if self.status is not None:
            how = f"the program has ended with exit code {self.status}"
        return f"{self.text()}\n[{how}]"

    def close(self) -> None:
        """End the program, and all that is on its terminal."""
        for number in (signal.SIGHUP, signal.SIGKILL):
            with contextlib.suppress(OSError):
                os.killpg(self._pid, number)
            for _ in range(20):
                self._reap()
                if self.status is not None:
                    break
                time.sleep(0.02)
        with contextlib.suppress(OSError):
            os.close(self._fd)

    def _read(self, seconds: float) -> bool:
        """Take what is shown within some time; return False if nothing is."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        try:
            data = os.read(self._fd, _PORTION) if ready else b""
        except BlockingIOError:
            return False
        except OSError:  # the other end is closed
            data = b""
            self._reap(wait=True)
        if data:
            self._stream.feed(data)
        return bool(data)

    def _reap(self, *, wait: bool = False) -> None:
        if self.status is not None:
            return
        try:
            pid, status = os.waitpid(self._pid, 0 if wait else os.WNOHANG)
        except ChildProcessError:
            self.status = 0
            return
        if pid:
            code = os.waitstatus_to_exitcode(status)
            self.status = code if code >= 0 else 128 - code


class Terminals:
    """The terminals of one task."""

    def __init__(self) -> None:
        self._open: dict[str, Terminal] = {}
        self._count = 0

    def open(self, given: dict[str, Any]) -> str:
        """Start a program on a new terminal."""
        if len(self._open) >= MOST:
            raise Wrong(f"{MOST} terminals are open: close one")
        rows, columns = _number(given, "rows", ROWS, 100), _number(given, "columns", COLUMNS, 250)
        terminal = Terminal(_text(given, "command", 8192), rows, columns)
        self._count += 1
        name = str(self._count)
        self._open[name] = terminal
        terminal.settle()
        return f"terminal {name}\n{terminal.state()}"

    def send(self, given: dict[str, Any]) -> str:
        """Type a text, then keys; return the screen."""
        terminal = self._of(given)
        if terminal.status is not None:
            raise Wrong(f"the program has ended with exit code {terminal.status}")
        keys = given.get("keys", [])
        if not isinstance(keys, list) or len(keys) > 100 or any(key not in KEYS for key in keys):
            raise Wrong(f"keys are a list of {', '.join(KEYS)}")
        typed = _text(given, "text", 8192) + "".join(KEYS[key] for key in keys)
        terminal.write(typed.encode())
        terminal.settle()
        return terminal.state()

    def snapshot(self, given: dict[str, Any]) -> str:
        """Return the screen, once it is quiet or shows a text."""
        terminal = self._of(given)
        wanted = _text(given, "wait_for", 200)
        seconds = _number(given, "seconds", 10 if wanted else 1, 60)
        terminal.settle(wanted, seconds)
        return terminal.state()

    def close(self, given: dict[str, Any]) -> str:
        """End a program and its terminal."""
        terminal = self._of(given)
        terminal.close()
        del self._open[str(given.get("terminal"))]
        return terminal.state()

    def close_all(self) -> None:
        """End everything."""
        for terminal in self._open.values():
            terminal.close()

    def _of(self, given: dict[str, Any]) -> Terminal:
        found = self._open.get(str(given.get("terminal")))
        if found is None:
            raise Wrong(f"there is no such terminal; open: {', '.join(self._open) or 'none'}")
        return found


def _text(given: dict[str, Any], key: str, longest: int) -> str:
    value = given.get(key, "")
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise Wrong(f"{key} is a text of at most {longest} characters")
    return value


def _number(given: dict[str, Any], key: str, usual: int, most: int) -> int:
    value = given.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Wrong(f"{key} is a number from 1 to {most}")
    return value
