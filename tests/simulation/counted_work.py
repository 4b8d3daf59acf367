"""Work as a number that is the same on a busy machine: lines of Python, and steps of SQLite."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ctui.tasks.store import Store


class Work:
    """What was done so far."""

    def __init__(self) -> None:
        self.done = 0

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        """Count a line, each turn of a loop in it, or a call; see `sys.settrace`."""
        del frame, event, arg
        self.done += 1
        return self.trace

    def step(self) -> int:
        """Count a step of SQLite's machine, and let it go on."""
        self.done += 1
        return 0


@contextmanager
def counted(store: Store) -> Iterator[Work]:
    """Count what this thread and the store do inside."""
    work, before, connection = Work(), sys.gettrace(), store._database._db
    connection.set_progress_handler(work.step, 1)
    sys.settrace(work.trace)
    try:
        yield work
    finally:
        sys.settrace(before)
        connection.set_progress_handler(None, 0)
