"""Keys that were meant for something else do not answer what has just appeared."""

from __future__ import annotations

from time import monotonic

GUARD_SECONDS = 0.4


class KeyGuard:
    """Guard that holds keys back until none came for a while: one held down answers nothing."""

    def __init__(self) -> None:
        self._since = 0.0

    def start(self) -> None:
        """Hold keys back from now on: something new is shown."""
        self._since = monotonic()

    def holds(self) -> bool:
        """Return True if the key that has just come is to be ignored; ask once for each key."""
        now = monotonic()
        early = now - self._since < GUARD_SECONDS
        if early:
            self._since = now
        return early
