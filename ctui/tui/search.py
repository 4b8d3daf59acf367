"""What is searched for in a transcript, and where it was found last."""

from __future__ import annotations

from rich.style import Style


class Search:
    """One search; its rows are those of the transcript as it is laid out now."""

    def __init__(self) -> None:
        self.needle = ""
        """Case-folded; "" while nothing is searched."""
        self.style = Style.null()
        self._found: int | None = None

    def begin(self, text: str, style: Style) -> None:
        """Search for this, from the window on if it is another text."""
        needle = text.casefold()
        if needle != self.needle:
            self._found = None
        self.needle, self.style = needle, style

    def start(self, top: int, height: int, *, backward: bool) -> int:
        """The row from which the next match is looked for: the last one, or the window's edge."""
        if self._found is not None and top <= self._found < top + height:
            return self._found
        return top + height if backward else top - 1

    def arrive(self, row: int, top: int, height: int) -> int:
        """A match is at this row; where the window begins so that it can be seen."""
        self._found = row
        return top if top <= row < top + height else row - height // 3
