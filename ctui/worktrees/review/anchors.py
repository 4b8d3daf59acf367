"""Places of quoted lines in what a file is now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

LONGEST = 2_000
"""Characters of a quoted line; what is behind them does not count."""
_MOST_TRIED = 2_000


class Anchor(NamedTuple):
    """Place of a comment's lines now."""

    state: Literal["here", "moved", "gone"]
    first: int
    """Number of their first line, from 1; where they are gone, the one that they had."""


def quotable(line: bytes) -> str:
    """Return a line of a file as it is quoted and compared."""
    return line[: 4 * LONGEST].decode("utf-8", "replace")[:LONGEST].rstrip()


def find_lines(quote: Sequence[str], content: list[str], first: int) -> Anchor:
    """Find quoted lines again, those nearest to where they were.

    Args:
        quote: as they were.
        content: all lines of the file as it is now, as `quotable` returns them.
        first: number of the first of them when they were quoted.
    """
    wanted = list(quote)
    if not wanted:
        return Anchor("gone", first)

    def is_at(place: int) -> bool:
        return content[place : place + len(wanted)] == wanted

    if is_at(first - 1):
        return Anchor("here", first)
    starts = [place for place, line in enumerate(content) if line == wanted[0]]
    starts.sort(key=lambda place: abs(place + 1 - first))
    for place in starts[:_MOST_TRIED]:
        if is_at(place):
            return Anchor("moved", place + 1)
    return Anchor("gone", first)
