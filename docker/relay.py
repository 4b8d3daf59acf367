#!/usr/bin/env python3
"""The first process of a task's container: it stands between the engine's stdin and the CLI.

The CLI ends when it reads half a line, and its stdin must never close; the engine promises neither.
So the relay reads stdin, passes on complete JSON objects and nothing else, and outlives whoever
writes. Its first line carries what must not be visible in the container's configuration:

    {"env": {"NAME": "value"}, "files": {"path below $HOME": {"content": "text", "mode": 384}}}

The relay's own lines go to stderr, one JSON object each, with the key `ctui_relay`.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from pathlib import PurePosixPath
from types import FrameType
from typing import IO, Any

READ_SIZE = 1 << 18
BUFFER_LIMIT = 64 << 20
"""Bytes waiting for a CLI that does not read; beyond it the relay stops reading as well."""
FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


def tell(what: str, **facts: object) -> None:
    """Write one line of the relay's own, in one piece."""
    with contextlib.suppress(OSError):
        os.write(2, json.dumps({"ctui_relay": what, **facts}).encode() + b"\n")


def json_object(line: bytes) -> dict[str, Any] | None:
    """The object that a line holds, or None if it holds anything else."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Lines:
    """Bytes in, complete lines out; linear in the length of a line however it arrives.

    A line that grows beyond `BUFFER_LIMIT` is dropped to its end: nobody sends such a one.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False

    def feed(self, data: bytes) -> list[bytes]:
        *complete, rest = data.split(b"\n")
        if complete:
            complete[0] = b"".join([*self._parts, complete[0]])
            if self._dropping:
                del complete[0]
            self._parts, self._size, self._dropping = [], 0, False
        if rest and not self._dropping:
            self._parts.append(rest)
            self._size += len(rest)
            if self._size > BUFFER_LIMIT:
                tell("dropped", bytes=self._size)
                self._parts, self._dropping = [], True
        return complete


def first_message(lines: Lines) -> tuple[dict[str, Any], list[bytes]]:
    """Wait for the first line, and return it with the complete lines that came behind it."""
    while data := os.read(0, READ_SIZE):
        complete = lines.feed(data)
        for index, line in enumerate(complete):
            value = json_object(line)
            if value is not None and isinstance(value.get("env"), dict):
                return value, complete[index + 1 :]
    # Nobody will ever say anything: the engine closed stdin for good.
    sys.exit(0)


def write_files(files: dict[str, Any], home: str) -> None:
    """Create the files below `home`; a link on the way is an error, not a way out of it."""
    for name, entry in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"{name!r} is not below the home folder")
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        for part in path.parts[:-1]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=folder)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        mode = int(entry.get("mode", 0o600))
        temporary = f".{path.name}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(temporary, flags, mode, dir_fd=folder), "wb") as file:
            file.write(str(entry["content"]).encode())
        os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.close(folder)


class Relay:
    """Passes lines to the child, and signals, and its end."""

    def __init__(self, child: subprocess.Popen[bytes], stdin: IO[bytes], lines: Lines) -> None:
        self._child = child
        self._input = stdin.fileno()
        os.set_blocking(self._input, False)
        self._lines = lines
        self._waiting = bytearray()
        self._selector = selectors.DefaultSelector()
        self._reading = False

    def run(self, early: list[bytes]) -> int:
        """Relay until the child ends; returns its exit status as a shell would give it."""
        wake, waker = os.pipe()
        for end in (wake, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in FORWARDED:
            signal.signal(number, self._forward)
        self._selector.register(wake, selectors.EVENT_READ)
        self._read_on()
        self._take(early)
        while (status := self._reap()) is None:
            for key, _ in self._selector.select():
                if key.fd == wake:
                    os.read(wake, 4096)
                elif key.fd == 0:
                    self._read()
                else:
                    self._write()
        return status

    def _read_on(self) -> None:
        if not self._reading:
            with contextlib.suppress(PermissionError):  # a plain file as stdin cannot be polled
                self._selector.register(0, selectors.EVENT_READ)
                self._reading = True

    def _read_no_more(self) -> None:
        if self._reading:
            self._selector.unregister(0)
            self._reading = False

    def _read(self) -> None:
        data = os.read(0, READ_SIZE)
        if not data:
            # The engine's end is gone, the conversation is not.
            self._read_no_more()
            return
        self._take(self._lines.feed(data))
        if len(self._waiting) > BUFFER_LIMIT:
            self._read_no_more()

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            if json_object(line) is not None:
                self._waiting += line + b"\n"
            elif line.strip():
                tell("dropped", bytes=len(line))
        self._write()

    def _write(self) -> None:
        try:
            while self._waiting:
                written = os.write(self._input, self._waiting[:READ_SIZE])
                del self._waiting[:written]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._waiting.clear()
        self._watch_child()

    def _watch_child(self) -> None:
        watched = self._input in self._selector.get_map()
        if self._waiting and not watched:
            self._selector.register(self._input, selectors.EVENT_WRITE)
        elif not self._waiting and watched:
            self._selector.unregister(self._input)
        if len(self._waiting) <= BUFFER_LIMIT // 2:
            self._read_on()

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child.pid, number)

    def _reap(self) -> int | None:
        """Collect every process that ended: as the first one, the relay inherits all orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 1
            if pid == 0:
                return None
            if pid == self._child.pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code


def main() -> int:
    """Run the command line behind the relay."""
    # The kernel spares a first process the signals that it has no handler for.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    lines = Lines()
    message, early = first_message(lines)
    home = os.environ.get("HOME", "/")
    try:
        write_files(message.get("files", {}), home)
        environment = {**os.environ, **{str(k): str(v) for k, v in message["env"].items()}}
        child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, env=environment)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        tell("failed", reason=f"{type(error).__name__}: {error}")
        return 127
    del message
    tell("started", pid=child.pid)
    code = Relay(child, child.stdin, lines).run(early) if child.stdin else 127
    tell("exited", code=code)
    return code


if __name__ == "__main__":
    sys.exit(main())
