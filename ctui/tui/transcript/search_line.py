"""Input line of the search in a transcript."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

Where = Literal["above", "below"]


class SearchLine(Input):
    """Input at the end of a transcript, so what is searched first is above."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "want('above', True)", "Match above, and go on there", show=False),
        Binding("up", "want('above')", "Match above", show=False),
        Binding("down", "want('below')", "Match below", show=False),
    ]

    class Wanted(Message):
        """Message that the next match is to be shown."""

        def __init__(self, where: Where, *, written: bool) -> None:
            super().__init__()
            self.where = where
            self.written = written
            """True if nothing more will be written, for now."""

    def __init__(self) -> None:
        super().__init__(
            placeholder="search: enter or ↑ above, ↓ below, then [ and ]",
            classes="pane--search",
            compact=True,
        )
        self.display = False

    def open(self) -> None:
        """Show it, with what was searched last."""
        self.display = True
        self.focus()

    def close(self) -> None:
        """Hide it; the text stays for the next time."""
        self.display = False

    def action_want(self, where: Where, written: bool = False) -> None:
        self.post_message(self.Wanted(where, written=written))
