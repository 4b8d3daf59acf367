"""Markdown tables, in columns."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ctui.tui.text.lines import Line, Wrap
from ctui.tui.text.markdown_inline import inline_rows
from ctui.tui.text.styled import Styled, Writer

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_WIDEST = 40
"""Cells of the screen in a column. A longer text goes on below, in its column."""
_PIPE = re.compile(r"(?<!\\)\|")


def table_lines(table: SyntaxTreeNode) -> list[Line]:
    """Return the lines of a `table` node: its header, a rule and its rows."""
    header, *rows = [row for group in table.children for row in group.children]
    alignments = [str(cell.attrs.get("style", "")) for cell in header.children]
    grid = [_cells(row) for row in (header, *rows)]
    widths = [
        min(_WIDEST, max(cell_len(cell.text) for cell in column))
        for column in zip_longest(*grid, fillvalue=Styled())
    ]
    lines = [_row_lines(cells, widths, alignments) for cells in grid]
    return [
        *(line._replace(style="strong") for line in lines[0]),
        Line("─┼─".join("─" * width for width in widths), style="dim", wrap=Wrap.CELLS),
        *(line for row in lines[1:] for line in row),
    ]


def _cells(row: SyntaxTreeNode) -> list[Styled]:
    """Return the cells of a row, with those for which the header has no column."""
    contents = [cell.children[0].content for cell in row.children]
    source = _PIPE.split(str(row.meta.get("source", "")).strip())
    if source[0] == "":
        del source[0]
    if source and source[-1] == "":
        del source[-1]
    extra = [cell.strip().replace("\\|", "|") for cell in source[len(contents) :]]
    return [inline_rows(content)[0] for content in (*contents, *extra)]


def _row_lines(cells: list[Styled], widths: list[int], alignments: list[str]) -> list[Line]:
    columns = [cell.folded(width) for cell, width in zip(cells, widths, strict=False)]
    return [_line(texts, widths, alignments) for texts in zip_longest(*columns, fillvalue=Styled())]


def _line(texts: tuple[Styled, ...], widths: list[int], alignments: list[str]) -> Line:
    writer = Writer()
    columns = zip_longest(texts, widths, alignments, fillvalue=None)
    for number, (text, width, alignment) in enumerate(columns):
        if number:
            writer.write(" │ ")
        shown = text or Styled()
        left, right = _padding((width or 0) - cell_len(shown.text), alignment or "")
        writer.write(" " * left)
        writer.write_styled(shown)
        writer.write(" " * right)
    row = writer.rows()[0]
    return Line(*row.part(0, len(row.text.rstrip())), wrap=Wrap.CELLS)


def _padding(blanks: int, alignment: str) -> tuple[int, int]:
    blanks = max(blanks, 0)
    if alignment.endswith("right"):
        return blanks, 0
    if alignment.endswith("center"):
        return blanks // 2, blanks - blanks // 2
    return 0, blanks
