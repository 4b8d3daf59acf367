"""Paint over rows, for a selection or a match; and the text of a selection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.strip import Strip

from ctui.tui.transcript.strips import WRAPPED, Rows

ROW_BITS = 12
"""A selection's y is `block index << ROW_BITS | row in the block`: stable while heights change.
It has to fit into 32 bits."""

_ROW_MASK = (1 << ROW_BITS) - 1


def changed_rows(before: Sequence[Strip], after: Sequence[Strip]) -> list[int]:
    """Return the rows of a window, of one height, that look different now."""
    pairs = enumerate(zip(before, after, strict=True))
    return [row for row, (old, new) in pairs if old is not new and old != new]


def selected(strip: Strip, span: tuple[int, int] | None, style: Style) -> Strip:
    """Return the strip with these characters (-1 is the end) in another colour."""
    if span is None:
        return strip
    start, end = span
    return _painted(strip, start, len(strip.text) if end == -1 else end, style)


def matched(strip: Strip, needle: str, style: Style) -> Strip:
    """Return the strip with every occurrence of a case-folded text in another colour."""
    text = strip.text.casefold()
    if len(text) != len(strip.text):
        return strip  # folding changed the length, so places do not agree
    place = text.find(needle)
    while place >= 0:
        strip = _painted(strip, place, place + len(needle), style)
        place = text.find(needle, place + len(needle))
    return strip


def selected_text(rows: Iterable[Rows], start: Offset, end: Offset) -> str:
    """Return the text between two offsets, wrapped lines joined again.

    Args:
        rows: of the block where the selection begins, and all behind it.
        start: character and `ROW_BITS` row.
        end: the same, behind the last character.
    """
    lines: list[str] = []
    first, last = start.y >> ROW_BITS, end.y >> ROW_BITS
    for index, block in enumerate(rows, first):
        if index > last:
            break
        for row, strip in enumerate(block.strips):
            place = index << ROW_BITS | row
            if not start.y <= place <= end.y:
                continue
            text = strip.text
            text = text[: end.x] if place == end.y else text
            text = text[start.x :] if place == start.y else text
            if block.soft[row] and lines:
                blank = " " if block.soft[row] == WRAPPED else ""
                lines[-1] = f"{lines[-1]}{blank}{text.strip() if blank else text.rstrip()}"
            else:
                lines.append(text.rstrip())
    return "\n".join(lines).rstrip("\n")


def _painted(strip: Strip, start: int, end: int, style: Style) -> Strip:
    text = strip.text
    start, end = max(0, start), min(end, len(text))
    if start >= end:
        return strip
    cuts = [cell_len(text[:start]), cell_len(text[:end]), strip.cell_length]
    before, middle, behind = strip.divide(cuts) if cuts[0] else (None, *strip.divide(cuts[1:]))
    colours = Style(color=style.color, bgcolor=style.bgcolor)
    painted = Strip(
        [Segment(item.text, (item.style or Style.null()) + colours) for item in middle or ()]
    )
    return Strip.join([part for part in (before, painted, behind) if part is not None])
