"""The input for a comment, below the lines that it is on."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea


class CommentBox(TextArea):
    """Input that enter keeps; shift+enter, alt+enter or ctrl+j begins a new line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep", "Keep the comment", priority=True, show=False),
        Binding("ctrl+j,shift+enter,alt+enter", "new_line", "New line", show=False),
        Binding("escape", "leave", "Leave it", priority=True, show=False),
    ]

    class Kept(Message):
        """Message that the comment is written."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Message that nothing is to be kept."""

    def __init__(self) -> None:
        super().__init__(
            compact=True, soft_wrap=True, highlight_cursor_line=False, classes="review--comment"
        )
        self.display = False

    def open(self, title: Content) -> None:
        """Show it with the place that it is on; sanitised."""
        self.border_title = title
        self.border_subtitle = "enter keeps it, esc leaves it"
        self.display = True
        self.focus()

    def close(self, *, forget: bool) -> None:
        """Hide it; what was written is there the next time, unless it is to be forgotten."""
        if forget:
            self.text = ""
        self.display = False

    def action_keep(self) -> None:
        if self.text.strip():
            self.post_message(self.Kept(self.text))
        else:
            self.post_message(self.Left())

    def action_new_line(self) -> None:
        self.insert("\n")

    def action_leave(self) -> None:
        self.post_message(self.Left())
