"""Lines laid out for a width: the strips that Textual paints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ctui.tui.text.lines import Line, Wrap

LONGEST_LINE = 4000
"""Characters of one line that are laid out; a longer one is cut, and says so."""

_LEAST_WIDTH = 8

Palette = Mapping[str, Style]
"""The style of every name in `lines.STYLES`, and of "" for all that has none."""


WRAPPED = 1
"""Between this row and the one above it is a blank that nobody sees."""

CUT = 2
"""Between this row and the one above it is nothing."""


class Rows(NamedTuple):
    """Lines as rows of exactly the wanted width."""

    strips: list[Strip]
    soft: bytearray
    """0 for a row that begins a line; `WRAPPED` or `CUT` for one that goes on with it."""

    @property
    def lines(self) -> int:
        """Return the number of lines."""
        return self.soft.count(0)

    def __add__(self, other: object) -> Rows:
        if not isinstance(other, Rows):
            return NotImplemented
        return Rows(self.strips + other.strips, self.soft + other.soft)


def lay_out(
    lines: Iterable[Line], width: int, palette: Palette, *, enough: int | None = None
) -> Rows:
    """Wrap lines to `width` cells; only so many of them that there are `enough` rows."""
    strips: list[Strip] = []
    soft = bytearray()
    for line in lines:
        if enough is not None and len(strips) >= enough:
            break
        base = palette[""] + palette[line.style] if line.style else palette[""]
        line = _shortened(line)  # noqa: PLW2901
        joint = CUT if line.wrap is Wrap.CELLS else WRAPPED
        room = max(_LEAST_WIDTH, width - cell_len(line.first))
        for number, (start, end) in enumerate(_cuts(line, room)):
            prefix = line.rest if number else line.first
            segments = [Segment(prefix, base)] if prefix else []
            segments += _segments(line, start, end, base, palette)
            strips.append(Strip(segments).adjust_cell_length(width, base))
            soft.append(joint if number else 0)
    return Rows(strips, soft)


def _shortened(line: Line) -> Line:
    left_out = len(line.text) - LONGEST_LINE
    if left_out <= 0:
        return line
    spans = tuple(span for span in line.spans if span.end <= LONGEST_LINE)
    text = f"{line.text[:LONGEST_LINE]}… {left_out:,} more characters"
    return line._replace(text=text, spans=spans)


def _cuts(line: Line, room: int) -> Iterator[tuple[int, int]]:
    """Yield where each row of a line begins and ends."""
    text = line.text
    if (len(text) if text.isascii() else cell_len(text)) <= room:
        yield 0, len(text)
        return
    pieces = chop_cells(text, room) if line.wrap is Wrap.CELLS else _words(text, room)
    start = 0
    for piece in pieces:
        yield start, start + len(piece)
        start += len(piece)


def _words(text: str, room: int) -> Iterator[str]:
    """Yield pieces that end behind a blank where one is; a word too long is cut at the edge."""
    while text:
        piece = chop_cells(text[: room + 1], room)[0]
        if len(piece) < len(text) and not text[len(piece)].isspace():
            blank = piece.rfind(" ")
            piece = piece[: blank + 1] if blank > 0 and piece[:blank].strip() else piece
        # The blank that made room for the break stays in its row, where nobody sees it.
        while len(piece) < len(text) and text[len(piece)] == " ":
            piece += " "
        yield piece
        text = text[len(piece) :]


def _segments(line: Line, start: int, end: int, base: Style, palette: Palette) -> Sequence[Segment]:
    segments: list[Segment] = []
    place = start
    for span in line.spans:
        if span.end <= place:
            continue
        if span.start >= end:
            break
        if span.start > place:
            segments.append(Segment(line.text[place : span.start], base))
            place = span.start
        stop = min(span.end, end)
        segments.append(Segment(line.text[place:stop], base + palette[span.style]))
        place = stop
    if place < end:
        segments.append(Segment(line.text[place:end], base))
    return segments
