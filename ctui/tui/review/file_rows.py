"""Rows of one file at a width, and how many cells high each of them is. Nothing is painted yet."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from ctui.client.review.reviewing import PlacedThread
from ctui.tui.review.file_diff import DiffLine, FileDiff

DRAFT_HEIGHT = 6
"""Rows that are kept free for what is being written."""
_LEAST_ROOM = 8


class Kind(Enum):
    """Content of a row."""

    FILE = "file"
    NOTE = "note"
    HUNK = "hunk"
    LINE = "line"
    THREAD = "thread"
    DRAFT = "draft"
    BLANK = "blank"


class Row(NamedTuple):
    """A row before it is laid out; it may need several lines of the screen."""

    kind: Kind
    left: int = -1
    """Index of the line on the left, or of the only one; -1 for none."""
    right: int = -1
    text: str = ""
    thread: PlacedThread | None = None

    @property
    def can_be_chosen(self) -> bool:
        """Return True if the cursor can stand on it."""
        return self.kind in {Kind.FILE, Kind.LINE, Kind.THREAD}


class Layout(NamedTuple):
    """Places in a row of a width."""

    width: int
    split: bool
    """Both sides stand beside each other."""
    digits: int

    @property
    def half(self) -> int:
        """Return the cells of the left side, with what is in front of its text."""
        return self.width // 2 if self.split else self.width

    @property
    def gutter(self) -> int:
        """Return the cells in front of a text: the cursor's, the numbers, the mark, blanks."""
        return self.digits + 4 if self.split else 2 * self.digits + 5

    def room(self, *, right: bool = False) -> int:
        """Return the cells of a text on a side."""
        cells = self.width - self.half if right else self.half
        return max(_LEAST_ROOM, cells - self.gutter)


class FileRows:
    """Rows of a file from top to bottom, and the lines of the screen at which they begin."""

    def __init__(
        self, rows: Sequence[Row], layout: Layout, height_of: Callable[[Row], int]
    ) -> None:
        self.rows = rows
        self.layout = layout
        self._starts = list(accumulate(map(height_of, rows), initial=0))

    @property
    def height(self) -> int:
        return self._starts[-1]

    def top(self, index: int) -> int:
        """Return the first line of a row."""
        return self._starts[min(index, len(self.rows))]

    def at(self, line: int) -> tuple[int, int]:
        """Return the row at a line of the screen, and how far that is in it."""
        index = min(bisect_right(self._starts, line), len(self.rows)) - 1
        return index, line - self._starts[index]

    def line_row(self, line: int) -> int:
        """Return the row that has a line of the file's by its index; 0 if none has."""
        for number, row in enumerate(self.rows):
            if row.kind is Kind.LINE and line in {row.left, row.right}:
                return number
        return 0


def rows_of(
    diff: FileDiff | None,
    threads: Iterable[PlacedThread],
    *,
    split: bool,
    folded: bool,
    draft: int | None = None,
) -> list[Row]:
    """Return the rows of a file.

    Args:
        diff: None while it has not been read.
        threads: of this file.
        split: both sides beside each other.
        folded: only its name.
        draft: index of the line below which something is being written.
    """
    rows = [Row(Kind.FILE)]
    if folded:
        return rows
    if diff is None:
        return [*rows, Row(Kind.NOTE, text="…"), Row(Kind.BLANK)]
    waiting = _by_line(diff.lines, threads)
    rows += [Row(Kind.NOTE, text=remark) for remark in diff.remarks]
    rows += [Row(Kind.THREAD, thread=thread) for thread in waiting.get(-1, ())]
    for number, hunk in enumerate(diff.hunks):
        if number or hunk.heading or diff.lines[hunk.start].new > 1:
            rows.append(Row(Kind.HUNK, hunk.start, text=hunk.heading))
        lines = hunk.sides if split else ((line, -1) for line in range(hunk.start, hunk.end))
        for left, right in lines:
            rows.append(Row(Kind.LINE, left, right))
            for line in {left, right}:
                rows += [Row(Kind.THREAD, line, thread=one) for one in waiting.get(line, ())]
                if draft is not None and line == draft:
                    rows.append(Row(Kind.DRAFT, line))
    return [*rows, Row(Kind.BLANK)]


def _by_line(
    lines: Sequence[DiffLine], threads: Iterable[PlacedThread]
) -> dict[int, list[PlacedThread]]:
    """Return the threads by the line that they stand below; those that none is near by -1."""
    found: dict[int, list[PlacedThread]] = {}
    threads = list(threads)
    if not threads:
        return found
    places = {
        "old": {line.old: index for index, line in enumerate(lines) if line.old},
        "new": {line.new: index for index, line in enumerate(lines) if line.new},
    }
    for placed in threads:
        last = placed.anchor.first + placed.thread.last - placed.thread.first
        found.setdefault(places[placed.thread.side].get(last, -1), []).append(placed)
    return found


def line_height(text: str, room: int) -> int:
    """Return how many lines of the screen a text needs in so many cells."""
    if text.isascii():
        return max(1, -(-len(text) // room))
    return 1 if cell_len(text) <= room else len(chop_cells(text, room))


def cuts(text: str, room: int) -> Iterator[tuple[int, int]]:
    """Yield where each of these lines begins and ends in the text."""
    if text.isascii():
        for start in range(0, max(1, len(text)), room):
            yield start, min(len(text), start + room)
        return
    start = 0
    for piece in chop_cells(text, room) if cell_len(text) > room else [text]:
        yield start, start + len(piece)
        start += len(piece)
