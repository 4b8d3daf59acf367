"""Rows of a review as strips of cells: numbers, marks, code, and what was said of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ctui.client.review.reviewing import PlacedThread
from ctui.humanize import lines_text, short_age
from ctui.tasks.threads import Remark
from ctui.text import one_line, sanitise
from ctui.tui.review.file_diff import DiffLine, FileDiff, shown_path
from ctui.tui.review.file_rows import DRAFT_HEIGHT, Kind, Layout, Row, cuts, line_height
from ctui.tui.text.lines import Line, Span, Wrap
from ctui.tui.transcript.strips import Palette, lay_out
from ctui.worktrees.review.comparison import ChangedFile
from ctui.worktrees.review.intra_line import Part

STYLES = (
    "file",
    "file-counts",
    "note",
    "hunk",
    "gutter",
    "added",
    "removed",
    "added-gutter",
    "removed-gutter",
    "added-part",
    "removed-part",
    "empty",
    "thread",
    "thread-author",
    "thread-task",
    "thread-note",
    "closed",
    "cursor",
    "chosen",
    "bar",
)
"""Component classes `review--<style>` of a widget that shows rows."""

MARKS = {
    "added": ("A", "ok"),
    "deleted": ("D", "error"),
    "modified": ("M", "ask"),
    "renamed": ("R", "function"),
    "type-changed": ("T", "ask"),
}
"""Letter and style of each status of a file."""

_NAMES = {" ": "", "+": "added", "-": "removed"}


class RowPainter:
    """Layout of rows for a width and its colours."""

    def __init__(self, layout: Layout, palette: Palette) -> None:
        self.layout = layout
        self._palette = palette
        self._base = palette[""]

    def height(self, row: Row, diff: FileDiff | None) -> int:
        """Return how many lines of the screen a row needs."""
        if row.kind is Kind.LINE and diff is not None:
            left, right = self._texts(row, diff)
            room, there = self.layout.room(), self.layout.room(right=True)
            return max(line_height(left, room), line_height(right, there))
        if row.kind is Kind.THREAD:
            return len(self._thread(row))
        return DRAFT_HEIGHT if row.kind is Kind.DRAFT else 1

    def strips(
        self, row: Row, diff: FileDiff | None, file: ChangedFile, *, read: bool, folded: bool
    ) -> list[Strip]:
        """Return a row's lines, each exactly as wide as it has to be."""
        match row.kind:
            case Kind.FILE:
                return [self.file_strip(file, read=read, folded=folded)]
            case Kind.LINE if diff is not None:
                return self._line(row, diff)
            case Kind.HUNK if diff is not None:
                return [self._hunk(row, diff)]
            case Kind.NOTE:
                return [self._text(f"  {row.text}", "note")]
            case Kind.THREAD:
                return self._thread(row)
        return [Strip.blank(self.layout.width, self._base)] * (
            DRAFT_HEIGHT if row.kind is Kind.DRAFT else 1
        )

    # -- heads

    def file_strip(self, file: ChangedFile, *, read: bool, folded: bool) -> Strip:
        """Return the line that says which file this is."""
        style = self._base + self._palette["file"]
        letter, colour = MARKS[file.status]
        path = shown_path(file.path)
        if file.old_path != file.path:
            path = f"{shown_path(file.old_path)} → {path}"
        counts = lines_text(file.added, file.removed)
        end = f"  {counts}{'  ✓ read' if read else ''} "
        room = self.layout.width - cell_len(end) - 5
        if cell_len(path) > room:
            path = "…" + path[-max(1, room - 1) :]
        segments = [
            Segment(f" {'▸' if folded else '▾'} ", style),
            Segment(letter, style + self._palette[colour]),
            Segment(f" {path}", style + Style(bold=True, dim=read)),
            Segment(end, style + self._palette["file-counts"]),
        ]
        return Strip(segments).adjust_cell_length(self.layout.width, style)

    def _hunk(self, row: Row, diff: FileDiff) -> Strip:
        line = diff.lines[row.left]
        number = str(line.new or line.old)
        lead = "┈" * max(0, self.layout.gutter - 2)
        text = f" {lead} {row.text}" if row.text else f" {lead} {number}"
        return self._text(text, "hunk")

    def _text(self, text: str, style: str) -> Strip:
        width, painted = self.layout.width, self._base + self._palette[style]
        if cell_len(text) > width:
            text = text[: width - 1] + "…"
        return Strip([Segment(text, painted)]).adjust_cell_length(width, painted)

    # -- lines of code

    def _texts(self, row: Row, diff: FileDiff) -> tuple[str, str]:
        left = diff.lines[row.left].text if row.left >= 0 else ""
        right = diff.lines[row.right].text if row.right >= 0 else ""
        return left, right

    def _line(self, row: Row, diff: FileDiff) -> list[Strip]:
        if not self.layout.split:
            return [
                Strip(list(segments))
                for segments in self._side(diff, row.left, self.layout.width, self.layout.room())
            ]
        half = self.layout.half
        rest = self.layout.width - half
        left = list(self._side(diff, row.left, half, self.layout.room(), old=True))
        room = self.layout.room(right=True)
        right = list(self._side(diff, row.right, rest, room, old=False))
        height = max(len(left), len(right))
        return [
            Strip(
                [
                    *(left[line] if line < len(left) else self._nothing(diff, row.left, half)),
                    *(right[line] if line < len(right) else self._nothing(diff, row.right, rest)),
                ]
            )
            for line in range(height)
        ]

    def _nothing(self, diff: FileDiff, index: int, width: int) -> list[Segment]:
        """Return the rest of a side whose line is over, or that has none."""
        if index < 0:
            return [Segment(" " * width, self._base + self._palette["empty"])]
        return [Segment(" " * width, self._style(diff.lines[index]))]

    def _style(self, line: DiffLine) -> Style:
        name = _NAMES[line.mark]
        return self._base + self._palette[name] if name else self._base

    def _side(
        self, diff: FileDiff, index: int, width: int, room: int, *, old: bool | None = None
    ) -> Iterator[list[Segment]]:
        """Yield a side's segments for each line of the screen that it needs."""
        if index < 0:
            yield self._nothing(diff, index, width)
            return
        line = diff.lines[index]
        base, name = self._style(line), _NAMES[line.mark]
        gutter = base + self._palette[f"{name}-gutter" if name else "gutter"]
        spans = diff.colours[index] if diff.colours else ()
        part = self._palette[f"{name}-part"] if name else Style.null()
        front, behind = self._front(line, old)
        for number, (start, end) in enumerate(cuts(line.text, room)):
            segments = [Segment(behind if number else front, gutter)]
            piece = line.text, start, end, base, self._palette, spans, line.parts, part
            segments += _painted(*piece)
            used = cell_len(front) + cell_len(line.text[start:end])
            if used < width:
                segments.append(Segment(" " * (width - used), base))
            yield segments

    def _front(self, line: DiffLine, old: bool | None) -> tuple[str, str]:
        """Return what is in front of a line, and of its continuation."""
        digits = self.layout.digits
        if old is None:
            numbers = f"{line.old or '':>{digits}} {line.new or '':>{digits}}"
        else:
            numbers = f"{(line.old if old else line.new) or '':>{digits}}"
        return f" {numbers} {line.mark} ", " " * (len(numbers) + 2) + "↳ "

    # -- what was said

    def _thread(self, row: Row) -> list[Strip]:
        if row.thread is None:
            return []
        lines = list(_thread_lines(row.thread, shown=row.left >= 0))
        return lay_out(lines, self.layout.width, self._palette).strips


_BAR = "   ┃ "


def _thread_lines(placed: PlacedThread, *, shown: bool) -> Iterator[Line]:
    """Yield a thread in words; where its lines are not shown above it, they are repeated."""
    thread = placed.thread
    text = f"#{thread.id}"
    head = len(text)
    text = "  ".join([text, *_notes(placed, shown=shown)])
    style = "closed" if thread.resolved else "thread"
    yield Line(text, (Span(head, len(text), "thread-note"),), style, "   ┏ ", _BAR)
    if placed.anchor.state == "gone" or not shown:
        for quoted in thread.quote[:3]:
            line = one_line(quoted, 200)
            yield Line(line, (), "thread-note", f"{_BAR}> ", f"{_BAR}> ", Wrap.CELLS)
    for remark in thread.remarks if not thread.resolved else ():
        yield from _remark_lines(remark)


def _notes(placed: PlacedThread, *, shown: bool) -> Iterator[str]:
    thread = placed.thread
    if placed.anchor.state == "gone":
        yield "its lines are gone"
    elif not shown:
        yield f"line {placed.anchor.first}, which is not shown here"
    if thread.side == "old":
        yield "before the change"
    if thread.last > thread.first:
        yield f"{thread.last - thread.first + 1} lines"
    if thread.unsent:
        yield "not sent yet"
    if thread.resolved or thread.answered:
        yield "closed" if thread.resolved else "answered"


def _remark_lines(remark: Remark) -> Iterator[Line]:
    who = one_line(remark.task, 40) if remark.author == "task" else "you"
    lead = f"{who} {short_age(remark.created, time.time_ns()).strip()}  "
    name = "thread-task" if remark.author == "task" else "thread-author"
    for number, said in enumerate(sanitise(remark.text).expandtabs(4).split("\n")):
        spans = () if number else (Span(0, len(lead), name),)
        yield Line(said if number else lead + said, spans, "thread", _BAR, _BAR)


def _painted(
    text: str,
    start: int,
    end: int,
    base: Style,
    palette: Palette,
    spans: Sequence[Span],
    parts: Sequence[Part],
    part: Style,
) -> Iterator[Segment]:
    """Yield a piece of a line: the colours of code, and over them what differs."""
    edges = {start, end}
    edges.update(edge for one in spans for edge in (one.start, one.end) if start < edge < end)
    edges.update(edge for one in parts for edge in (one.start, one.end) if start < edge < end)
    places = sorted(edges)
    span = differs = 0
    for here, there in pairwise(places):
        while span < len(spans) and spans[span].end <= here:
            span += 1
        while differs < len(parts) and parts[differs].end <= here:
            differs += 1
        style = base
        if span < len(spans) and spans[span].start <= here:
            style += palette[spans[span].style]
        if differs < len(parts) and parts[differs].start <= here:
            style += part
        yield Segment(text[here:there], style)
