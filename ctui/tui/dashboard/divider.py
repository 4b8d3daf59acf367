"""The line between the list and the panes, which can be dragged."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widget import Widget

_SHARE = 0.35
_LEAST, _MOST_USUAL = 27, 64
_LEAST_PANE = 40


def list_width(terminal: int, wanted: int | None) -> int:
    """Return the width of the list in a terminal: the one that somebody wants, where it fits."""
    usual = max(_LEAST, min(_MOST_USUAL, round(terminal * _SHARE)))
    return max(_LEAST, min(usual if wanted is None else wanted, terminal - _LEAST_PANE))


class Divider(Widget):
    """Line that says where the mouse takes it, and where it is left."""

    class Moved(Message):
        """Message that the line is to be in a column of the screen."""

        def __init__(self, column: int, *, left: bool) -> None:
            super().__init__()
            self.column = column
            self.left = left
            """True once it has been let go."""

    def __init__(self) -> None:
        super().__init__(id="divider")
        self._held = False

    def render(self) -> str:
        return "\n".join("▕" * self.size.height)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self._held = True
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held:
            event.stop()
            self.post_message(self.Moved(event.screen_x, left=False))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._held:
            event.stop()
            self._held = False
            self.release_mouse()
            self.post_message(self.Moved(event.screen_x, left=True))
