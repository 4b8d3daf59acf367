"""Search in a transcript: its text, and where it was found last."""

from __future__ import annotations

from rich.style import Style

from ctui.tui.transcript.block_search import RowPosition
from ctui.tui.transcript.block_window import BlockWindow


class Search:
    """One search of the person's, in a window that begins at `top` and has `height` rows."""

    def __init__(self) -> None:
        self.needle = ""
        """Case-folded; "" while nothing is searched."""
        self.style = Style.null()
        self._found: RowPosition | None = None

    def begin(self, text: str, style: Style) -> None:
        """Search for this, from the window on if it is another text."""
        needle = text.casefold()
        if needle != self.needle:
            self._found = None
        self.needle, self.style = needle, style

    def end(self) -> None:
        self.needle, self._found = "", None

    def begin_at_window(self) -> None:
        """Begin at the window again: other blocks are shown."""
        self._found = None

    def start(self, window: BlockWindow, top: int, height: int, *, backward: bool) -> RowPosition:
        """Return where the next match is looked for: the last one, or the window's edge."""
        if self._found is not None and top <= window.row_of(*self._found) < top + height:
            return self._found
        return window.place_from(top + height if backward else top - 1)

    def arrive(self, window: BlockWindow, found: RowPosition, top: int, height: int) -> int:
        """Take a match that was found; return where the window begins so that it can be seen."""
        self._found = found
        read = window.place(top)
        row = window.reveal(found)
        top = window.row_of(*read)
        return top if top <= row < top + height else row - height // 3
