"""A checkbox that can be read without colours."""

from __future__ import annotations

from textual.widgets import Checkbox


class TickBox(Checkbox):
    """Tick box of `[x]` or `[ ]`; Textual's own shows the same mark in two colours."""

    BUTTON_LEFT = "["
    BUTTON_RIGHT = "]"
    BUTTON_INNER = " "

    def watch_value(self) -> None:
        self.BUTTON_INNER = "x" if self.value else " "
        super().watch_value()
