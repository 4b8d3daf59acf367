"""Rows of more lines than anybody reads: the first and the last, and how many are missing."""

from __future__ import annotations

from collections.abc import Sequence

from ctui.tui.text.lines import Line
from ctui.tui.transcript.strips import Palette, Rows, lay_out

_FIRST_ROWS = 1_500
_LAST_ROWS = 1_500

MOST_ROWS = 4_095
"""One line has at most 1,000, and can begin in the last of the first rows."""


class LongRows:
    """Layout of lines as they come. The end of a text that grows is always shown."""

    def __init__(self, width: int, palette: Palette) -> None:
        self._width = width
        self._palette = palette
        self._first = Rows([], bytearray())
        self._last = Rows([], bytearray())
        self._lines = 0

    def add(self, lines: Sequence[Line]) -> None:
        """Put lines at the end."""
        self._lines += len(lines)
        room = _FIRST_ROWS - len(self._first.strips)
        if room > 0:
            rows = lay_out(lines, self._width, self._palette, enough=room)
            _extend(self._first, rows)
            lines = lines[rows.lines :]
        if lines:
            _extend(self._last, lay_out(lines[-_LAST_ROWS:], self._width, self._palette))
        if len(self._last.strips) > 2 * _LAST_ROWS:
            self._last = _end_of(self._last)

    def rows(self, more: Sequence[Line] = ()) -> Rows:
        """Return what is shown of all lines, with `more` at the end that may still change."""
        if more:
            now = LongRows(self._width, self._palette)
            now._first, now._last, now._lines = _copy(self._first), _copy(self._last), self._lines
            now.add(more)
            return now.rows()
        last = _end_of(self._last)
        left_out = self._lines - self._first.lines - last.lines
        return self._first + self._mark(left_out) + last if left_out else self._first + last

    def _mark(self, left_out: int) -> Rows:
        text = f"… {left_out:,} more lines: too many to be shown here …"
        return lay_out([Line(text, style="dim")], self._width, self._palette)


def _end_of(rows: Rows) -> Rows:
    """Return the last rows, from the beginning of a line on."""
    if len(rows.strips) <= _LAST_ROWS:
        return rows
    start = rows.soft.find(0, len(rows.strips) - _LAST_ROWS)
    return Rows(rows.strips[start:], rows.soft[start:])


def _extend(rows: Rows, more: Rows) -> None:
    rows.strips.extend(more.strips)
    rows.soft.extend(more.soft)


def _copy(rows: Rows) -> Rows:
    return Rows(list(rows.strips), bytearray(rows.soft))
