"""Lines on their way: what comes in is cut into them, what goes out is never cut."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from typing import Any

READ_SIZE = 1 << 18
LINE_LIMIT = 128 << 20
"""Bytes of a line; the CLI's longest hold a file that a tool has read."""

_BURST = 32 << 20
_RATE = 4 << 20
"""Bytes of one stream that go out at once, and then in a second: far more than the CLI ever says.

The engine keeps all of it, and no engine has a limit of its own that would lose none; whoever reads
it must be able to keep up, and to stop what says too much before a disk is full.
"""

_LIKE_OURS = re.compile(rb"^(?=[^!-~\n]*\{)", re.MULTILINE)
"""A line whose first visible character opens a JSON object."""


def json_object(line: bytes) -> dict[str, Any] | None:
    """Return the object that a line holds, or None if it holds anything else."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Sink:
    """One of the engine's two streams, shared by threads: what one writes stays in one piece."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._broken = False

    def write(self, data: bytes) -> None:
        """Write all of it, however long the engine takes; nothing where its end is gone."""
        with self._lock:
            view = memoryview(data)
            while view and not self._broken:
                try:
                    view = view[os.write(self._fd, view) :]
                except OSError:
                    self._broken = True

    def close(self) -> None:
        """Write nothing more."""
        with self._lock:
            self._broken = True


class Teller:
    """The relay's own lines, which nothing else on stderr looks like."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def __call__(self, what: str, **facts: object) -> None:
        """Write one line."""
        self._sink.write(json.dumps({"ctui_relay": what, **facts}).encode() + b"\n")


class Lines:
    """Bytes in, complete lines out; linear in the length of a line however it arrives.

    A line that grows beyond `LINE_LIMIT` is dropped to its end: nobody sends such a one.
    """

    def __init__(self, tell: Teller) -> None:
        self._tell = tell
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that these bytes complete, without their ends."""
        *complete, rest = data.split(b"\n")
        if complete:
            complete[0] = b"".join([*self._parts, complete[0]])
            if self._dropping:
                del complete[0]
            self._parts, self._size, self._dropping = [], 0, False
        if rest and not self._dropping:
            self._parts.append(rest)
            self._size += len(rest)
            if self._size > LINE_LIMIT:
                self._tell("dropped", bytes=self._size)
                self._parts, self._dropping = [], True
        return complete


class Allowance:
    """Bytes that may go out now: a burst, and then so many a second."""

    def __init__(self) -> None:
        self._left = float(_BURST)
        self._at = time.monotonic()

    def spend(self, size: int) -> float:
        """Take so many bytes off; return the seconds until there are any again."""
        now = time.monotonic()
        self._left = min(_BURST, self._left + (now - self._at) * _RATE) - size
        self._at = now
        return max(0.0, -self._left / _RATE)


class Pump(threading.Thread):
    """One of the CLI's streams on its way to the engine, in whole lines and in order.

    A thread waits for the engine, so that a full stream holds up nothing but itself. On stderr, a
    line that could be taken for one of the relay's gets `| ` in front.
    """

    def __init__(self, source: socket.socket, sink: Sink, tell: Teller, *, mark: bool) -> None:
        super().__init__(daemon=True)
        self._source = source
        self._sink = sink
        self._tell = tell
        self._mark = mark
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False
        self._allowance = Allowance()
        self._finishing = threading.Event()

    def run(self) -> None:
        """Pass on what comes until the stream ends, and then what is left of a last line."""
        while data := self._source.recv(READ_SIZE):
            self._take(data)
            self._finishing.wait(self._allowance.spend(len(data)))
        if self._parts:
            self._pass(b"".join(self._parts) + (b"\n" if self._mark else b""))

    def finish(self) -> None:
        """Pass on everything that was written until now, and let nobody write any more."""
        self._finishing.set()
        self._source.shutdown(socket.SHUT_RD)
        self.join()

    def _take(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if end and self._dropping:
            data = data[data.find(b"\n") + 1 :]
            end = data.rfind(b"\n") + 1
            self._dropping = False
        if end:
            self._pass(b"".join([*self._parts, data[:end]]))
            self._parts, self._size = [], 0
        if not self._dropping and end < len(data):
            self._parts.append(data[end:])
            self._size += len(data) - end
            if self._size > LINE_LIMIT:
                self._tell("lost", bytes=self._size)
                self._parts, self._size, self._dropping = [], 0, True

    def _pass(self, data: bytes) -> None:
        if self._mark and b"{" in data:
            data = _LIKE_OURS.sub(b"| ", data)
        self._sink.write(data)
