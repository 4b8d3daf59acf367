"""The time as the store writes it."""

from __future__ import annotations

import time


def now() -> int:
    """Return the nanoseconds since the epoch."""
    return time.time_ns()
