"""Keys that were meant for something else do not answer what has just appeared."""

from __future__ import annotations

from time import monotonic

GUARD_SECONDS = 0.4


class KeyGuard:
    """Guard that lets a key decide only after a pause: none in a typed word or held down does."""

    def __init__(self) -> None:
        self._last = 0.0
        self.paused = False
        """True if keys have paused since `start`: what can be taken back at once need not wait."""

    def start(self) -> None:
        """Hold keys back from now on: something new is shown."""
        self._last, self.paused = monotonic(), False

    def holds(self) -> bool:
        """Return True if the key that has just come may decide nothing.

        Ask once for each key, also for one that means nothing: the next may belong to its word.
        """
        now = monotonic()
        early = now - self._last < GUARD_SECONDS
        self._last = now
        self.paused = self.paused or not early
        return early
