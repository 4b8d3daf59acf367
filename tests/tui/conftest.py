"""What all tests of the screen share."""

from __future__ import annotations

import pytest

from tests.tui.clock import CLOCK


@pytest.fixture(autouse=True)
def guard_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the guard's time stand still."""
    monkeypatch.setattr("ctui.tui.asks.key_guard.monotonic", CLOCK)
