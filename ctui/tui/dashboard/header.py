"""The top line: where we are, what there is to do, and whether everything is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ctui.tui.board.board import Board, Item
from ctui.tui.board.header_content import Count, counts, health_marks, screen_header
from ctui.tui.support.place import Place

if TYPE_CHECKING:
    from ctui.client.health.health import Check


class Header(Static):
    """Top line, with what is missing only where the terminal is wide enough."""

    class CountClicked(Message):
        """Message that a count was clicked."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path
            """The first row that it counts; "" where that is not on the list."""

    def __init__(self, place: Place, *, scripted: bool) -> None:
        super().__init__(id="header")
        self._place = place
        self._scripted = scripted
        self._shown: tuple[Board, Sequence[Count]] | None = None
        self._left = Content()
        self._right = Content()
        self._cells: dict[int, str] = {}
        self.title = ""
        """The same in short, for the terminal."""
        self._distance = (0, 0)
        self._target = ""

    def show(self, board: Board, items: Sequence[Item]) -> None:
        """Show what there is now."""
        shown = counts(items, board.asks_elsewhere)
        self.title = " · ".join([f"ctui {self._place.name}", *(count.text for count in shown)])
        self._shown = board, shown
        self._redraw()

    def take_distance(self, ahead: int, behind: int) -> None:
        """Take how many commits the checkout's branch is ahead of its upstream, and behind it."""
        self._distance = (ahead, behind)

    def take_target(self, target: str) -> None:
        """Take the name of the branch that worktrees are judged against."""
        self._target = target

    def take_checks(self, checks: Sequence[Check]) -> None:
        """Show what is there and what is missing."""
        self._right = health_marks(checks)
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.x in self._cells:
            self.post_message(self.CountClicked(self._cells[offset.x]))

    def _redraw(self) -> None:
        if self._shown is not None:
            board, counted = self._shown
            self._left, self._cells = screen_header(
                board,
                self._place.name,
                self._place.branch,
                shown=counted,
                distance=self._distance,
                target=self._target,
                scripted=self._scripted,
                width=self.content_size.width or 10_000,
            )
        room = self.content_size.width - self._left.cell_length - self._right.cell_length
        shown = self._left
        if room > 1 and self._right.cell_length:
            shown = Content.assemble(self._left, " " * room, self._right)
        self.update(shown)
