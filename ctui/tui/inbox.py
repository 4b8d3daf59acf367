"""Everything that is asked, of all tasks, oldest first."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.text import one_line
from ctui.tui.ask_panel import AskPanel
from ctui.tui.board import Board
from ctui.tui.deeds import Deeds

_REFRESH_SECONDS = 0.25
_MOST_SHOWN = 12


class Inbox(ModalScreen[None]):
    """Answers one after the other; it stays open until there is nothing left, or escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("right,j", "move(1)", "Next"),
        Binding("left,k", "move(-1)", "Previous"),
    ]

    def __init__(self, board: Board, deeds: Deeds) -> None:
        super().__init__()
        self._board = board
        self._deeds = deeds
        self._place = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog inbox"):
            yield Static(classes="dialog--title")
            yield Static(classes="inbox--list")
            yield AskPanel()
            keys = Content.assemble(
                ("←→", "bold $primary"), " another   ", ("esc", "bold $primary"), " close"
            )
            yield Static(keys, classes="dialog--keys")

    def on_mount(self) -> None:
        self._show()
        self.query_one(AskPanel).focus()
        self.set_interval(_REFRESH_SECONDS, self._show)

    def on_ask_panel_answered(self, event: AskPanel.Answered) -> None:
        event.stop()
        self._deeds.answer(event.ask, event.answer, event.panel.start_again)

    def on_ask_panel_emptied(self, event: AskPanel.Emptied) -> None:
        event.stop()

    def action_move(self, step: int) -> None:
        asks = self._board.inbox
        if asks:
            self._place = (self._place + step) % len(asks)
            self._show()

    def action_leave(self) -> None:
        if not self.query_one(AskPanel).leave_words():
            self.dismiss()

    def _show(self) -> None:
        asks = self._board.inbox
        self._place = min(self._place, max(0, len(asks) - 1))
        panel = self.query_one(AskPanel)
        panel.show(asks[self._place : self._place + 1])
        if asks and not panel.has_focus_within:
            panel.focus()
        title = f"Inbox  {len(asks)}" if asks else "Nothing is asked"
        self.query_one(".dialog--title", Static).update(Content.styled(title, "bold"))
        first = max(0, min(self._place - _MOST_SHOWN // 2, len(asks) - _MOST_SHOWN))
        lines = [
            Content.assemble(
                ("▶ " if index == self._place else "  ", "$primary"),
                (one_line(ask.task, 24).ljust(25), "bold" if index == self._place else ""),
                (one_line(ask.title, 100), "$text-muted"),
            )
            for index, ask in enumerate(asks)
        ][first : first + _MOST_SHOWN]
        self.query_one(".inbox--list", Static).update(Content("\n").join(lines))
