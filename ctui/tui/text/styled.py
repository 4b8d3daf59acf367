"""Text with styled parts, while it is being put together and before it is a `Line`."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from ctui.tui.text.lines import Span


class Styled(NamedTuple):
    """A row of text and the spans in it, in order and without overlaps."""

    text: str = ""
    spans: tuple[Span, ...] = ()

    def part(self, start: int, end: int) -> Styled:
        """Return the characters from `start` up to `end`, with what is left of their spans."""
        spans = tuple(
            Span(max(span.start, start) - start, min(span.end, end) - start, span.style)
            for span in self.spans
            if span.start < end and span.end > start
        )
        return Styled(self.text[start:end], spans)

    def folded(self, width: int) -> list[Styled]:
        """Return the text in rows of at most `width` cells, cut between words where possible."""
        if cell_len(self.text) <= width:
            return [self]
        rows = []
        start = 0
        while start < len(self.text):
            end = _row_end(self.text, start, width)
            rows.append(self.part(start, end))
            start = end
        return rows


class Writer:
    """Collector of text and its styles in rows."""

    def __init__(self) -> None:
        self._rows: list[Styled] = []
        self._parts: list[str] = []
        self._spans: list[Span] = []
        self._size = 0

    def write(self, text: str, style: str = "") -> None:
        """Add to the current row. A line break or a tab in `text` becomes a blank."""
        if not text:
            return
        start = self._size
        self._parts.append(text.replace("\n", " ").replace("\t", " "))
        self._size += len(text)
        if not style:
            return
        if self._spans and self._spans[-1].end == start and self._spans[-1].style == style:
            start = self._spans.pop().start
        self._spans.append(Span(start, self._size, style))

    def write_styled(self, text: Styled) -> None:
        """Add text that has its styles already."""
        start = 0
        for span in text.spans:
            self.write(text.text[start : span.start])
            self.write(text.text[span.start : span.end], span.style)
            start = span.end
        self.write(text.text[start:])

    def end_row(self) -> None:
        self._rows.append(Styled("".join(self._parts), tuple(self._spans)))
        self._parts, self._spans, self._size = [], [], 0

    def rows(self) -> list[Styled]:
        """Return everything that was written: at least one row, which may be empty."""
        self.end_row()
        return self._rows


def _row_end(text: str, start: int, width: int) -> int:
    cells = 0
    word = start
    for at in range(start, len(text)):
        cells += cell_len(text[at])
        if cells > width:
            # A single character may be wider than the row, and must still be shown.
            return word if word > start else max(at, start + 1)
        if text[at] == " ":
            word = at + 1
    return len(text)
