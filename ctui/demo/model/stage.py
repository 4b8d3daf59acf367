"""State that the calls of all tasks share: released names, failure counts, the list of calls.

This is all that the server remembers, and each part of it is bounded.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CALLS_KEPT = 200
_NAMES_KEPT = 10_000

_CallRecord = dict[str, Any]


class Stage:
    """State that the threads of a server share.

    Args:
        log: a file that gets each finished call as a line of JSON, or None.
    """

    def __init__(self, log: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._gates: OrderedDict[str, threading.Event] = OrderedDict()
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._waiting: Counter[str] = Counter()
        self._calls: deque[_CallRecord] = deque(maxlen=_CALLS_KEPT)
        self._number = 0
        self._reset = 0
        self._log = log

    def use_up(self, key: str, times: int | None) -> bool:
        """Return True for the first `times` uses of a key, or for any use if that is None."""
        if times is None:
            return True
        with self._lock:
            used = self._counts.pop(key, 0)
            self._counts[key] = min(used + 1, times)
            while len(self._counts) > _NAMES_KEPT:
                self._counts.popitem(last=False)
            return used < times

    def limited_until(self, seconds: int) -> int:
        """Return when the usage limit is reset, in seconds since the epoch; 0 once it is over."""
        with self._lock:
            self._reset = self._reset or int(time.time()) + seconds
            return self._reset if time.time() < self._reset else 0

    def gate(self, name: str) -> threading.Event:
        """Return the event that is set when this name is released, perhaps before anyone waits."""
        with self._lock:
            gate = self._gates.setdefault(name, threading.Event())
            self._gates.move_to_end(name)
            while len(self._gates) > _NAMES_KEPT:
                self._gates.popitem(last=False)
            return gate

    @contextmanager
    def waiting_for(self, name: str) -> Iterator[None]:
        """Count this thread among those that wait for a name."""
        with self._lock:
            self._waiting[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[name] -= 1
                if not self._waiting[name]:
                    del self._waiting[name]

    def waiting(self) -> dict[str, int]:
        """Return the number of calls that wait for each name."""
        with self._lock:
            return dict(self._waiting)

    def add_call(self, record: _CallRecord) -> None:
        with self._lock:
            self._number += 1
            self._calls.append({"number": self._number, **record})

    def finish_call(self, record: _CallRecord, status: int) -> None:
        """Append a call to the log; its status is 0 if the client went away or was cut off."""
        if self._log is None:
            return
        line = json.dumps({**record, "status": status})
        with self._lock, self._log.open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def calls(self) -> list[_CallRecord]:
        """Return the last calls, oldest first."""
        with self._lock:
            return list(self._calls)
