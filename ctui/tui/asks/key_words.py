"""Keys with what they do, in rows that never tear one from the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content

from ctui.tui.asks.ask_form import Choice

_GAP = 3


def packed(choices: Iterable[Choice], width: int) -> Content:
    """Return the keys one after the other, in rows of at most `width` cells if each fits."""
    rows: list[list[tuple[str, str]]] = [[]]
    used = 0
    for choice in choices:
        size = cell_len(choice.key) + 1 + cell_len(choice.label)
        gap = _GAP if rows[-1] else 0
        if rows[-1] and used + gap + size > width:
            rows.append([])
            used = gap = 0
        rows[-1] += [(" " * gap, ""), (choice.key, "bold $primary"), (f" {choice.label}", "")]
        used += gap + size
    return Content("\n").join(Content.assemble(*row) for row in rows)
