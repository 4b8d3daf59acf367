"""Files of a review one below the other, and the rows of those that are near what is looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from textual.strip import Strip

from ctui.client.review.reviewing import PlacedThread
from ctui.tui.review.file_diff import FileDiff
from ctui.tui.review.file_rows import FileRows, Kind, Layout, Row, rows_of
from ctui.tui.review.row_strips import RowPainter
from ctui.tui.transcript.heights import Heights
from ctui.tui.transcript.strips import Palette
from ctui.worktrees.review.comparison import ChangedFile

_KEPT_ROWS = 4_000
"""Rows that stay laid out; beyond that all are laid out anew, as they are wanted."""
_UNREAD_ROWS = 4
"""Rows of a file beside its lines, as long as it has not been read from git."""


class Place(NamedTuple):
    """A row: of which file, and which of its rows."""

    file: int
    row: int


class DiffWindow:
    """Files, their rows and heights. Lines of the screen are counted from the first file's name."""

    def __init__(self) -> None:
        self.files: Sequence[ChangedFile] = ()
        self.diffs: dict[int, FileDiff] = {}
        self.folded: set[int] = set()
        self.read: set[int] = set()
        self.split = False
        self.draft: tuple[int, int] | None = None
        """File, and index of the line below which something is being written."""
        self._threads: Mapping[str, Sequence[PlacedThread]] = {}
        self._width = 0
        self._palette: Palette = {}
        self._painters: dict[int, RowPainter] = {}
        self._heights = Heights()
        self._rows: dict[int, FileRows] = {}
        self._strips: dict[int, dict[int, list[Strip]]] = {}
        self._kept = 0

    @property
    def width(self) -> int:
        """Return the width in cells; 0 before there is a place on the screen."""
        return self._width

    @property
    def total(self) -> int:
        """Return the lines of all files, as far as they are known, else estimated."""
        return self._heights.total

    # -- what changes

    def show(
        self,
        files: Sequence[ChangedFile],
        threads: Mapping[str, Sequence[PlacedThread]],
        read: Collection[int],
    ) -> None:
        """Show these files, of which nothing has been read from git yet."""
        self.files, self._threads = files, threads
        self.read, self.folded = set(read), set(read)
        self.diffs.clear()
        self._forget_rows()
        self._heights.replace_tail(0, map(self._estimate, range(len(files))))

    def take(self, index: int, diff: FileDiff) -> None:
        """Take what changed in a file, or its colours."""
        before = self.diffs.get(index)
        self.diffs[index] = diff
        if before is not None and before.lines is diff.lines:
            self._forget_strips(index)
        else:
            self.change(index)

    def take_threads(self, threads: Mapping[str, Sequence[PlacedThread]]) -> None:
        """Take the comments as they are now."""
        before, self._threads = self._threads, threads
        for index, file in enumerate(self.files):
            if before.get(file.name) or threads.get(file.name):
                self.change(index)

    def change(self, index: int) -> None:
        """Lay a file out anew: it is folded, commented on, or read from git."""
        self._rows.pop(index, None)
        self._forget_strips(index)
        self._measure(index)

    def restyle(self, width: int, palette: Palette, *, split: bool) -> None:
        """Lay everything out anew; the heights so far stay as estimates."""
        self._width, self._palette, self.split = width, palette, split
        self._forget_rows()
        self._heights.doubt_all()

    def is_known(self, index: int) -> bool:
        """Return True unless there are lines of the file that were not read from git yet."""
        return index in self.diffs or index in self.folded

    def threads_of(self, index: int) -> Sequence[PlacedThread]:
        return self._threads.get(self.files[index].name, ())

    # -- places

    def rows(self, index: int) -> FileRows:
        """Return the rows of a file."""
        found = self._rows.get(index)
        if found is None:
            diff = self.diffs.get(index)
            draft = self.draft[1] if self.draft is not None and self.draft[0] == index else None
            rows = rows_of(
                diff,
                self.threads_of(index),
                split=self.split,
                folded=index in self.folded,
                draft=draft,
            )
            painter = self._painter(index)
            found = FileRows(rows, painter.layout, lambda row: painter.height(row, diff))
            self._rows[index] = found
        return found

    def row(self, place: Place) -> Row:
        """Return the row at a place."""
        rows = self.rows(place.file).rows
        return rows[min(place.row, len(rows) - 1)]

    def line_of(self, place: Place) -> int:
        """Return the first line of the screen of a row."""
        return self._heights.top(place.file) + self.rows(place.file).top(place.row)

    def height_of(self, place: Place) -> int:
        rows = self.rows(place.file)
        return rows.top(place.row + 1) - rows.top(place.row)

    def at(self, line: int) -> tuple[Place, int]:
        """Return the row at a line of the screen, and how far that is in it."""
        index, within = self._heights.find(max(0, min(line, self.total - 1)))
        rows = self.rows(index)
        row, rest = rows.at(min(within, max(0, rows.height - 1)))
        return Place(index, row), rest

    def clamped(self, place: Place) -> Place:
        """Return the nearest place that there is."""
        index = max(0, min(place.file, len(self.files) - 1))
        return Place(index, max(0, min(place.row, len(self.rows(index).rows) - 1)))

    def walk(self, place: Place, step: int) -> Iterator[Place]:
        """Yield the places behind (1) or in front of (-1) one where the cursor can stand."""
        index, row = place.file, place.row + step
        while 0 <= index < len(self.files):
            rows = self.rows(index).rows
            while 0 <= row < len(rows):
                if rows[row].can_be_chosen:
                    yield Place(index, row)
                row += step
            index += step
            row = 0 if step > 0 else 1 << 40
            if 0 <= index < len(self.files) and step < 0:
                row = len(self.rows(index).rows) - 1

    def is_change(self, place: Place) -> bool:
        """Return True for a line that was added or removed."""
        row, diff = self.row(place), self.diffs.get(place.file)
        if row.kind is not Kind.LINE or diff is None:
            return False
        return any(diff.lines[line].mark != " " for line in (row.left, row.right) if line >= 0)

    # -- the window

    def settle(self, line: int, height: int) -> int:
        """Make the heights around a window exact; return the line at which the same row is then."""
        if not self.files:
            return 0
        place, rest = self.at(line)
        index, seen = place.file, 0
        while index < len(self.files) and seen < 2 * height + place.row:
            seen += self._measure(index)
            index += 1
        index, seen = place.file, 0
        while index and seen < height:
            index -= 1
            seen += self._measure(index)
        return self.line_of(place) + rest

    def near(self, line: int, height: int) -> range:
        """Return the files of which a window shows something."""
        if not self.files:
            return range(0)
        first, _ = self._heights.find(max(0, line))
        last, _ = self._heights.find(min(line + height, max(0, self.total - 1)))
        return range(min(first, len(self.files) - 1), min(last, len(self.files) - 1) + 1)

    def strips(self, place: Place) -> list[Strip]:
        """Return the lines of a row."""
        of_file = self._strips.setdefault(place.file, {})
        found = of_file.get(place.row)
        if found is None:
            file = self.files[place.file]
            found = self._painter(place.file).strips(
                self.row(place),
                self.diffs.get(place.file),
                file,
                read=place.file in self.read,
                folded=place.file in self.folded,
            )
            of_file[place.row] = found
            self._kept += 1
            if self._kept > _KEPT_ROWS:
                self._forget_all_strips()
        return found

    def frame(self, line: int, height: int) -> Iterator[tuple[Place, int, Strip]]:
        """Yield the lines of a window, each with its row and how far it is in that."""
        until = line + height
        blank = Strip.blank(self._width, self._palette[""])
        for index in self.near(line, height):
            top, rows = self._heights.top(index), self.rows(index)
            row, rest = rows.at(max(0, line - top))
            while row < len(rows.rows) and top + rows.top(row) < until:
                place = Place(index, row)
                for within, strip in enumerate(self.strips(place)):
                    if rest <= within and line <= top + rows.top(row) + within < until:
                        yield place, within, strip
                row, rest = row + 1, 0
            # A file that was not read yet has room for what it is said to have.
            begin, end = max(line, top + rows.height), min(until, top + self._heights[index])
            for _ in range(begin, end):
                yield Place(index, len(rows.rows)), 0, blank

    # -- inside

    def _painter(self, index: int) -> RowPainter:
        diff = self.diffs.get(index)
        digits = max(3, diff.digits) if diff is not None else 3
        painter = self._painters.get(digits)
        if painter is None:
            layout = Layout(self._width, self.split, digits)
            painter = self._painters[digits] = RowPainter(layout, self._palette)
        return painter

    def _estimate(self, index: int) -> int:
        return 1 if index in self.folded else self.files[index].lines + _UNREAD_ROWS

    def _measure(self, index: int) -> int:
        if not self._heights.is_exact(index) or index not in self._rows:
            height = self.rows(index).height if self.is_known(index) else self._estimate(index)
            self._heights.set(index, height)
        return self._heights[index]

    def _forget_rows(self) -> None:
        self._rows.clear()
        self._forget_all_strips()
        self._painters.clear()

    def _forget_strips(self, index: int) -> None:
        self._kept -= len(self._strips.pop(index, ()))

    def _forget_all_strips(self) -> None:
        self._strips.clear()
        self._kept = 0
