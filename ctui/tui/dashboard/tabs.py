"""The open tasks, one label each."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static


class TaskTabs(Static):
    """Tabs in one line; a click chooses."""

    class Chosen(Message):
        """Message that a label was clicked: its place, from 0."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._ends: list[int] = []

    def show(self, labels: list[Content], active: int) -> None:
        """Show these, one of them as the active one."""
        shown: list[Content] = []
        self._ends = []
        width = 0
        for index, label in enumerate(labels):
            shown.append(
                label.stylize("bold $foreground on $surface") if index == active else label
            )
            width += label.cell_length
            self._ends.append(width)
        self.update(Content("").join(shown))

    def on_click(self, event: events.Click) -> None:
        for index, end in enumerate(self._ends):
            if event.x < end:
                self.post_message(self.Chosen(index))
                return
