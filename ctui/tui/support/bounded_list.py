"""A list whose ends are ends: who holds a key down does not come out on the other side."""

from __future__ import annotations

from textual.widgets import OptionList


class BoundedList(OptionList):
    """Option list that does not wrap around at its ends."""

    def action_cursor_down(self) -> None:
        before = self.highlighted
        super().action_cursor_down()
        if before is not None and self.highlighted is not None and self.highlighted < before:
            self.highlighted = before

    def action_cursor_up(self) -> None:
        before = self.highlighted
        super().action_cursor_up()
        if before is not None and self.highlighted is not None and self.highlighted > before:
            self.highlighted = before
