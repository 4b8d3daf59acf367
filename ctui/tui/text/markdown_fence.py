"""Blocks of code in Markdown, in chunks that no longer change once they are complete.

An answer may hold thousands of rows of code, and to colour them all at each new word would be
slow. So each chunk is coloured by itself, in the same way while it streams in and afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctui.tui.text.code import LONGEST_ROW, code_lines, is_open_after
from ctui.tui.text.highlight_budget import HighlightBudget
from ctui.tui.text.lines import Line

_INDENT = "  "
_NAME = re.compile(r"[\w+#.-]+")  # of `rust` in `rust,ignore`, and of `r` in `{r}`
_CHUNK_SIZES = (40, 80, 120, 160)
_LONGEST_CHUNK = 200


def fence_lines(rows: list[str], info: str, budget: HighlightBudget) -> list[Line]:
    """Return a block of code under its `info`, which begins with the name of its language."""
    label = [Line(info.expandtabs(1), style="dim", first=_INDENT, rest=_INDENT)] if info else []
    # Even an empty block is one that the reader should see.
    return label + (fence_rows(rows, info, budget) or code_lines("\n", "", budget, first=_INDENT))


def fence_rows(rows: list[str], info: str, budget: HighlightBudget) -> list[Line]:
    """Return the rows of a block of code, without its label."""
    lines = []
    start = 0
    while start < len(rows):
        size = chunk_size(rows[start : start + _LONGEST_CHUNK], info, budget)
        end = start + size if size else len(rows)
        code = "\n".join(_uncut(rows[start:end]))
        lines += code_lines(code + "\n", _language(info), budget, first=_INDENT)
        start = end
    return lines


def chunk_size(rows: list[str], info: str, budget: HighlightBudget) -> int:
    """Return how many of `rows` are a complete chunk, whatever comes after them; 0 if none.

    A chunk ends where no string and no comment is open, or when it gets too long.
    """
    for size in _CHUNK_SIZES:
        if len(rows) < size:
            return 0
        if not is_open_after("\n".join(rows[:size]), _language(info), budget):
            return size
    return _LONGEST_CHUNK if len(rows) >= _LONGEST_CHUNK else 0


def _language(info: str) -> str:
    name = _NAME.search(info)
    return name.group().lower() if name else ""


def _uncut(rows: list[str]) -> Iterator[str]:
    """Break the rows that `code_lines` would cut: all that a model says must be shown."""
    for row in rows:
        shown = row.expandtabs(4)
        yield shown[:LONGEST_ROW]
        for start in range(LONGEST_ROW, len(shown), LONGEST_ROW):
            yield shown[start : start + LONGEST_ROW]
