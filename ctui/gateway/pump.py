"""Bytes between two sockets, both ways at once, counted and never kept beyond one portion."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

PORTION = 1 << 17
"""Bytes that are read at once; what the other side does not take of it is all that is kept."""
_ROUNDS = 16
"""Portions of one connection before the others are looked at."""
_CLOSING_SECONDS = 60.0
"""Seconds for which one way may still be silent after the other has ended."""

Check = Callable[[bytes], bool]
"""Says of the first bytes of a way whether it may go on: False wants more of them; it can raise."""

_shared = threading.local()


def _buffer() -> memoryview:
    """Return this thread's buffer: between reading and writing a portion nothing else runs."""
    view: memoryview | None = getattr(_shared, "view", None)
    if view is None:
        view = _shared.view = memoryview(bytearray(PORTION))
    return view


class Pump:
    """Two connected sockets; what one says goes to the other until both have ended.

    Attributes:
        up: bytes from the first to the second.
        down: bytes from the second to the first.
    """

    def __init__(
        self,
        first: socket.socket,
        second: socket.socket,
        *,
        idle: float,
        check: Check | None = None,
        early: bytes = b"",
        early_down: bytes = b"",
    ) -> None:
        """Connect them.

        Args:
            first: who asked.
            second: who was asked.
            idle: seconds of silence, both ways, after which they are closed.
            check: looks at the first bytes of `first` before any of them goes on.
            early: what was read of `first` already.
            early_down: the same of `second`.
        """
        loop = asyncio.get_running_loop()
        self._idle = idle
        self._over: asyncio.Future[None] = loop.create_future()
        self._ways = (
            _Way(self, loop, first, second, early, check),
            _Way(self, loop, second, first, early_down, None),
        )
        self.last = loop.time()

    @property
    def up(self) -> int:
        return self._ways[0].count

    @property
    def down(self) -> int:
        return self._ways[1].count

    async def run(self) -> None:
        """Return when both have ended, one has failed, or nothing was said for too long.

        Raises:
            Exception: what `check` raised.
        """
        loop = asyncio.get_running_loop()
        try:
            for way in self._ways:
                way.begin()
            while not self._over.done():
                patience = min(self._idle, _CLOSING_SECONDS) if self._closing() else self._idle
                left = self.last + patience - loop.time()
                if left <= 0:
                    return
                # A way that ends meanwhile shortens the patience: look again in time.
                await asyncio.wait({self._over}, timeout=min(left, _CLOSING_SECONDS))
            self._over.result()
        finally:
            for way in self._ways:
                way.stop()
            self._over.cancel()

    def _closing(self) -> bool:
        return any(way.ended for way in self._ways)

    def end(self, error: BaseException | None = None) -> None:
        """Stop, because one way failed or both have ended."""
        if not self._over.done():
            if error is None:
                self._over.set_result(None)
            else:
                self._over.set_exception(error)

    def ended(self) -> None:
        """Look whether that was the second of the two."""
        if all(way.ended for way in self._ways):
            self.end()


class _Way:
    """One direction."""

    def __init__(
        self,
        pump: Pump,
        loop: asyncio.AbstractEventLoop,
        source: socket.socket,
        sink: socket.socket,
        early: bytes,
        check: Check | None,
    ) -> None:
        self._pump, self._loop = pump, loop
        self._source, self._sink = source, sink
        self._waiting = early
        self._check = check
        self._reading = self._writing = False
        self._at_end = False
        self.count = 0
        self.ended = False

    def begin(self) -> None:
        """Begin with what was read already."""
        early, self._waiting = self._waiting, b""
        if self._take(memoryview(early)):
            self._read()

    def stop(self) -> None:
        if self._reading:
            self._loop.remove_reader(self._source)
        if self._writing:
            self._loop.remove_writer(self._sink)
        self._reading = self._writing = False

    def _read(self) -> None:
        if not self._reading:
            self._loop.add_reader(self._source, self._readable)
            self._reading = True

    def _readable(self) -> None:
        view = _buffer()
        self._pump.last = self._loop.time()
        for _ in range(_ROUNDS):
            try:
                size = self._source.recv_into(view)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self._pump.end()
                return
            if not size:
                self._end()
                return
            if not self._take(view[:size]):
                return

    def _take(self, data: memoryview) -> bool:
        """Pass a portion on; return False when no more is to be read for now."""
        if self._check is not None and data:
            held = self._waiting + bytes(data)
            try:
                passed = self._check(held)
            except Exception as error:  # noqa: BLE001 - whoever runs the pump gets it
                self._pump.end(error)
                return False
            if not passed:
                self._waiting = held
                return True
            self._check, self._waiting = None, b""
            data = memoryview(held)
        return not data or self._send(data)

    def _send(self, data: memoryview) -> bool:
        try:
            sent = self._sink.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            # It takes nothing more, but may have said something that is still to be passed on.
            self.stop()
            self.ended = True
            self._pump.ended()
            return False
        self.count += sent
        if sent == len(data):
            return True
        self._waiting = bytes(data[sent:])
        if self._reading:
            self._loop.remove_reader(self._source)
            self._reading = False
        if not self._writing:
            self._loop.add_writer(self._sink, self._writable)
            self._writing = True
        return False

    def _writable(self) -> None:
        self._pump.last = self._loop.time()
        self._loop.remove_writer(self._sink)
        self._writing = False
        data, self._waiting = self._waiting, b""
        if self._send(memoryview(data)):
            if self._at_end:
                self._finish()
            else:
                self._read()

    def _end(self) -> None:
        self._loop.remove_reader(self._source)
        self._reading = False
        self._at_end = True
        if not self._writing:
            self._finish()

    def _finish(self) -> None:
        """Tell the other side that nothing more comes; what was never checked is not passed on."""
        self.ended = True
        try:
            self._sink.shutdown(socket.SHUT_WR)
        except OSError:
            self._pump.end()
        self._pump.ended()
