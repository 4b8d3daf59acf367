"""Limits of what a lexer may be given, so that the screen never waits for colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

_LONGEST_ROW = 300
"""Characters. The expressions of many lexers take the square of a row's length, or more."""

_MOST_ROWS = 400
_MOST_CHARACTERS = 12_000
"""Lexers take some 8 µs for each, and on hostile code up to 20."""


class HighlightBudget:
    """Budget left for the code of one block. The same block, in any pieces, gets the same."""

    def __init__(self, rows: int = _MOST_ROWS, characters: int = _MOST_CHARACTERS) -> None:
        self._rows = rows
        self._characters = characters

    def copy(self) -> HighlightBudget:
        """Return a budget as large, for what is shown only for now."""
        return HighlightBudget(self._rows, self._characters)

    def suffices(self, rows: Sequence[str]) -> bool:
        """Return True if all of these rows can be coloured."""
        return len(rows) <= self._rows and _size(rows) <= self._characters

    def take(self, rows: Sequence[str]) -> int:
        """Use up what these rows need; return how many, from the first on, can be coloured.

        Behind the first row that cannot, there is no more budget for any other.
        """
        taken = 0
        for row in islice(rows, self._rows):
            if self._characters < (size := _size((row,))):
                self._rows = taken
                break
            self._characters -= size
            taken += 1
        self._rows -= taken
        return taken

    def visible(self, rows: Iterable[str]) -> str:
        """Return the rows as code for a lexer, to whom those that are too long look empty."""
        return "\n".join(row if len(row) <= _LONGEST_ROW else "" for row in rows)


def _size(rows: Iterable[str]) -> int:
    return sum(len(row) + 1 if len(row) <= _LONGEST_ROW else 1 for row in rows)
