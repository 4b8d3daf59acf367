"""An event loop whose time passes only when nothing is left to do."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_SAME_TIME = 1e-9
"""Seconds within which two timers are due at once."""


class Standstill(AssertionError):
    """Nothing is left to do, and somebody still waits."""


class _Call(asyncio.TimerHandle):
    """Something that is to be done once, unless it is cancelled.

    asyncio's own knows more that nobody here asks for, and a schedule makes a thousand of them.
    """

    __slots__ = ()

    def __init__(
        self, when: float, callback: Callable[..., Any], args: Any, context: Context | None
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._context = copy_context() if context is None else context
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop that never sleeps: `time` jumps to the next timer.

    It has neither files nor threads, and takes what is due in the order of asyncio's own loops.
    """

    _stopping: bool
    """As asyncio has it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._due: deque[_Call] = deque()
        self._timers: list[tuple[float, _Call]] = []

    def time(self) -> float:
        return self.now

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: Any = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> _Call:
        call = _Call(self.now, callback, args, context)
        self._due.append(call)
        return call

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> _Call:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> _Call:
        call = _Call(when, callback, args, context)
        heapq.heappush(self._timers, (when, call))
        return call

    def _run_once(self) -> None:
        """Do all that is due, and let the time pass, until the loop is stopped."""
        while True:
            self._find_due()
            for _ in range(len(self._due)):  # what these add has its turn after the timers
                call = self._due.popleft()
                if not call._cancelled:
                    self._do(call)
            if self._stopping:
                return

    def _find_due(self) -> None:
        """Add the timers that are due; where nothing else is, the next one is."""
        timers = self._timers
        while timers and timers[0][1]._cancelled:
            heapq.heappop(timers)
        if not self._due and not self._stopping:
            if not timers:
                raise Standstill("nothing is left to do, and somebody still waits")
            self.now += max(0.0, timers[0][0] - self.now)
        while timers and timers[0][0] < self.now + _SAME_TIME:
            self._due.append(heapq.heappop(timers)[1])

    def _do(self, call: _Call) -> None:
        try:
            call._context.run(call._callback, *call._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - as asyncio's own loops do
            self.call_exception_handler({"message": "a callback failed", "exception": error})
