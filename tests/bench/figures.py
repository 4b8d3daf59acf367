"""Figures as they are printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def ratio(name: str, limit: str, ours: Sequence[float], theirs: Sequence[float]) -> None:
    """Print the median of the ratios pair by pair, and both medians."""
    pairs = [a / b for a, b in zip(ours, theirs, strict=True)]
    middle = statistics.median(pairs)
    print(
        f"{name:<34} {middle:5.2f} (wanted {limit})   "
        f"{statistics.median(ours) * 1000:8.0f} ms / {statistics.median(theirs) * 1000:8.0f} ms"
        f"   {min(pairs):.2f}-{max(pairs):.2f}, n={len(pairs)}"
    )
