"""One run at its socket: what it may now, and how much of the gateway it takes up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ctui.gateway.api.answers import wait
from ctui.gateway.api.budget import Budget
from ctui.gateway.model import Access, Anomaly

_MOST_OF_RUN = 96 << 20
_MOST_IN_ALL = 384 << 20
"""Bytes of requests that are held at once; further ones are to come again."""

_AGAIN_SECONDS = 60.0
"""Between two reports of the same kind of anomaly of a run."""


class Held:
    """Bytes of requests that are in memory, of one run or of all."""

    def __init__(self, most: int, above: Held | None = None) -> None:
        self._most = most
        self._above = above
        self.now = 0

    def add(self, size: int) -> None:
        """Count bytes in.

        Raises:
            Answer: there are too many.
        """
        if self.now + size > self._most:
            raise wait("too much is asked at once", 2)
        if self._above is not None:
            self._above.add(size)
        self.now += size

    def remove(self, size: int) -> None:
        self.now -= size
        if self._above is not None:
            self._above.remove(size)


def held_by_all() -> Held:
    return Held(_MOST_IN_ALL)


class Place:
    """A run's place at the gateway. Its access changes while it is there, its socket does not."""

    def __init__(self, access: Access, held: Held, tell: Callable[[Anomaly], object]) -> None:
        self.access = access
        self.held = Held(_MOST_OF_RUN, held)
        self.budget = Budget()
        self.looking = asyncio.Lock()
        """Held while one of its requests is looked through."""
        self.calls = 0
        """Calls that are under way."""
        self._tell = tell
        self._told: dict[str, float] = {}

    def anomaly(self, kind: str, text: str) -> None:
        """Report what the run does, and not again for a minute if it goes on doing it."""
        now = time.monotonic()
        if now - self._told.get(kind, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
            self._told[kind] = now
            self._tell(Anomaly(self.access.run, kind, text))
