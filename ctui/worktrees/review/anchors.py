"""Places of quoted lines in what a file is now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

_MOST_TRIED = 2_000


class Anchor(NamedTuple):
    """Where the lines of a comment are now."""

    state: Literal["here", "moved", "gone"]
    first: int
    """Number of their first line, from 1; where they are gone, the one that they had."""


def find_lines(quote: Sequence[str], content: Sequence[str], first: int) -> Anchor:
    """Find quoted lines again, those nearest to where they were.

    Args:
        quote: as they were; blanks at their ends do not count.
        content: all lines of the file as it is now.
        first: number of the first of them when they were quoted.
    """
    wanted = [line.rstrip() for line in quote]
    if not wanted:
        return Anchor("gone", first)
    length = len(wanted)

    def is_at(place: int) -> bool:
        lines = content[place : place + length]
        return [line.rstrip() for line in lines] == wanted

    if is_at(first - 1):
        return Anchor("here", first)
    starts = [place for place, line in enumerate(content) if line.rstrip() == wanted[0]]
    starts.sort(key=lambda place: abs(place + 1 - first))
    for place in starts[:_MOST_TRIED]:
        if is_at(place):
            return Anchor("moved", place + 1)
    return Anchor("gone", first)
