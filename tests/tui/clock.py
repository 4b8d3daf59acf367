"""The clock of the guard, which stands still until a test moves it."""

from __future__ import annotations

from ctui.tui.asks.key_guard import GUARD_SECONDS


class GuardClock:
    """Seconds that pass only when a test says so: no machine is too slow for a guarded key."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_half_a_guard(self) -> None:
        self.now += GUARD_SECONDS / 2

    def pass_the_guard(self) -> None:
        self.now += GUARD_SECONDS + 0.05


CLOCK = GuardClock()
