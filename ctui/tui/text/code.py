"""Code, and changes of code, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from rich.cells import cell_len

from ctui.tui.text.highlight import highlighted, language_of
from ctui.tui.text.highlight_budget import HighlightBudget
from ctui.tui.text.lines import Line, Span, Wrap

__all__ = ["code_lines", "diff_lines", "language_of"]

LONGEST_ROW = 4_000
"""Characters. A longer row is cut."""
_TAB = 4
_CHANGES = {"+": "added", "-": "removed"}


def code_lines(code: str, language: str, budget: HighlightBudget, *, first: str = "") -> list[Line]:
    """Return a line for each row of `code`, with `first` in front of it.

    `language` is a name that Pygments knows; with any other, and where the budget is used up, the
    code has no colours. Tabs are expanded to stops of 4 characters. A row of more than 4,000
    characters is cut, and says how much is missing.
    """
    if not code:
        return []
    rows = _rows(code)
    return [
        _line(row, spans, style="block", first=first)
        for row, spans in zip(rows, _colours(rows, language, budget), strict=False)
    ]


def diff_lines(
    lines: Iterable[str], language: str, old_start: int, new_start: int, budget: HighlightBudget
) -> list[Line]:
    r"""Return the lines of a hunk of a unified diff, each with its number and its mark in front.

    Each of `lines` begins with ` `, `-` or `+`; one that begins with anything else, such as
    `\ No newline at end of file`, is a remark and has no number. The starts are the numbers of
    the hunk's first line before and after the change; what was removed has its old number.
    """
    hunk = [(line[:1] or " ", line[1:].expandtabs(_TAB)) for line in lines]
    after = [text for mark, text in hunk if mark in " +"]
    colours = _colours(after, language, budget)
    old, new = old_start, new_start
    width = len(str(max(old, new) + len(hunk)))
    found = []
    for mark, text in hunk:
        if mark not in " +-":
            found.append(
                _line((mark + text).expandtabs(_TAB), (), style="dim", first=" " * (width + 3))
            )
            continue
        spans = next(colours) if mark != "-" else ()
        first = f"{old if mark == '-' else new:>{width}} {mark} "
        style = _CHANGES.get(mark, "block")
        found.append(_line(text, spans if mark == " " else (), style=style, first=first))
        old += mark != "+"
        new += mark != "-"
    return found


def is_open_after(code: str, language: str, budget: HighlightBudget) -> bool:
    """Return True if `code` ends within a string or a comment, to which its next row belongs.

    What the budget does not suffice for has no colours, and so nothing that could be open.
    """
    rows = _rows(code)
    return budget.suffices(rows) and highlighted(budget.visible(rows), language).open


def _rows(code: str) -> list[str]:
    return [row.expandtabs(_TAB) for row in code.removesuffix("\n").split("\n")]


def _colours(rows: list[str], language: str, budget: HighlightBudget) -> Iterator[tuple[Span, ...]]:
    """Return the spans of each row, and then without end those of rows that have none."""
    taken = budget.take(rows) if language else 0
    coloured = highlighted(budget.visible(rows[:taken]), language).rows if taken else ()
    return chain(coloured, repeat(()))


def _line(text: str, spans: tuple[Span, ...], *, style: str, first: str) -> Line:
    if len(text) > LONGEST_ROW:
        text = f"{text[:LONGEST_ROW]}… [{len(text) - LONGEST_ROW} more characters]"
    return Line(text, spans, style, first, " " * cell_len(first), Wrap.CELLS)
