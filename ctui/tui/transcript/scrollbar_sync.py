"""A scrollbar that is told of a new position only when somebody could see it."""

from __future__ import annotations

from textual.scrollbar import ScrollBar


class ScrollbarSync:
    """Position of a scrollbar, told only when its thumb moves by a cell: it repaints as a whole."""

    def __init__(self) -> None:
        self._shown: tuple[object, ...] = ()

    def move(self, bar: ScrollBar, row: int, height: int, total: int) -> None:
        """Show that `height` rows of `total` are seen, from `row` on."""
        height, total = max(1, height), max(1, total)
        shown = (height, row * height // total, height * height // total, row + height >= total)
        if shown != self._shown:
            self._shown = shown
            bar.window_virtual_size, bar.window_size, bar.position = total, height, row
