"""Input for words to a task: several lines, with what was said before at hand."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from ctui.tui.support.dropped import dropped_paths, mention, mentioned

_MOST_REMEMBERED = 200


class Composer(TextArea):
    """Input that enter sends; shift+enter, alt+enter or ctrl+j begins a new line.

    Up in the first line, and down in the last, go through what was said before. A file that is
    dropped onto the terminal comes with the message, as long as that mentions it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", priority=True, show=False, id="composer.send"),
        Binding(
            "ctrl+j,shift+enter,alt+enter",
            "new_line",
            "New line",
            show=False,
            id="composer.new-line",
        ),
    ]

    class Sent(Message):
        """Message that the person has said something."""

        def __init__(self, text: str, attach: tuple[str, ...]) -> None:
            super().__init__()
            self.text = text
            self.attach = attach
            """Paths that were dropped, and are mentioned in it."""

    def __init__(self, *, placeholder: str, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            id=id,
            compact=True,
            soft_wrap=True,
            placeholder=placeholder,
            highlight_cursor_line=False,
        )
        self._said: list[str] = []
        self._place = 0
        self._draft = ""
        self._dropped: set[str] = set()

    def remember(self, said: list[str]) -> None:
        """Take what was said before, oldest first."""
        self._said = said[-_MOST_REMEMBERED:]
        self._place = len(self._said)

    def action_send(self) -> None:
        text = self.text
        if not text.strip():
            return
        self._said = [*self._said, text][-_MOST_REMEMBERED:]
        self._place = len(self._said)
        self.text = ""
        self.post_message(self.Sent(text, tuple(mentioned(text, self._dropped))))

    def give_back(self, text: str) -> None:
        """Put back what did not arrive, so that it can be sent again."""
        self.text = f"{text}\n{self.text}" if self.text else text
        self.move_cursor(self.document.end)

    def action_new_line(self) -> None:
        self.insert("\n")

    async def _on_paste(self, event: events.Paste) -> None:
        if paths := dropped_paths(event.text):
            event.stop()
            event.prevent_default()
            self._dropped.update(paths)
            self.insert("".join(f"{mention(path)} " for path in paths))
        # Else the widget's own handler comes next.

    async def _on_key(self, event: events.Key) -> None:
        at_edge = (event.key == "up" and self.cursor_location[0] == 0) or (
            event.key == "down" and self.cursor_location[0] == self.document.line_count - 1
        )
        if at_edge and self._said:
            event.stop()
            event.prevent_default()
            self._recall(-1 if event.key == "up" else 1)
            return
        await super()._on_key(event)

    def _recall(self, step: int) -> None:
        place = max(0, min(len(self._said), self._place + step))
        if place == self._place:
            return
        if self._place == len(self._said):
            self._draft = self.text
        self._place = place
        self.text = self._said[place] if place < len(self._said) else self._draft
        self.move_cursor(self.document.end)
