"""Everything that is asked, of all tasks, oldest first."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.tasks.model import Ask
from ctui.text import one_line
from ctui.tui.asks.ask_panel import AskPanel
from ctui.tui.board.board import Board
from ctui.tui.support.task_actions import TaskActions

_REFRESH_SECONDS = 0.25
_MOST_SHOWN = 12
_LEAST_SHOWN = 3


class Inbox(ModalScreen[None]):
    """Screen that asks one ask after the other, until there is nothing left, or escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("right,j", "move(1)", "Next"),
        Binding("left,k", "move(-1)", "Previous"),
    ]

    def __init__(self, board: Board, task_actions: TaskActions) -> None:
        super().__init__()
        self._board = board
        self._task_actions = task_actions
        self._place = 0
        self._ask: int | None = None
        """The id of the one that is shown: places move as others end."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog inbox"):
            yield Static(classes="dialog--title")
            yield Static(classes="inbox--list")
            yield AskPanel(share=0.25)
            keys = Content.assemble(
                ("←→", "bold $primary"), " another   ", ("esc", "bold $primary"), " close"
            )
            yield Static(keys, classes="dialog--keys")

    def on_mount(self) -> None:
        self._show()
        self._panel.focus()
        self.set_interval(_REFRESH_SECONDS, self._show)

    def on_ask_panel_answered(self, event: AskPanel.Answered) -> None:
        event.stop()
        self._task_actions.answer(event.ask, event.answer, event.panel.start_again)

    def on_ask_panel_emptied(self, event: AskPanel.Emptied) -> None:
        event.stop()

    def action_move(self, step: int) -> None:
        asks = self._board.inbox
        if asks and not self._panel.writing:
            self._ask = asks[(self._place + step) % len(asks)].id
            self._show()

    def action_leave(self) -> None:
        if self._panel.leave_words():
            self._show()
        else:
            self.dismiss()

    @property
    def _panel(self) -> AskPanel:
        return self.query_one(AskPanel)

    def _show(self) -> None:
        asks = self._board.inbox
        shown = self._choose(asks)
        panel = self._panel
        panel.show([shown] if shown else [])
        if panel.display and not panel.has_focus_within:
            panel.focus()
        title = f"Inbox  {len(asks)}" if asks else "Nothing is asked"
        self.query_one(".dialog--title", Static).update(Content.styled(title, "bold"))
        most = max(_LEAST_SHOWN, min(_MOST_SHOWN, self.size.height // 6))
        first = max(0, min(self._place - most // 2, len(asks) - most))
        lines = [_row(ask, here=ask is shown) for ask in asks[first : first + most]]
        self.query_one(".inbox--list", Static).update(Content("\n").join(lines))

    def _choose(self, asks: list[Ask]) -> Ask | None:
        """Return the ask to show, if any; none replaces one that words are written for."""
        ids = [ask.id for ask in asks]
        if self._ask in ids:
            self._place = ids.index(self._ask)
        elif self._panel.writing or not asks:
            return None
        else:
            self._place = min(self._place, len(asks) - 1)
            self._ask = ids[self._place]
        return asks[self._place]


def _row(ask: Ask, *, here: bool) -> Content:
    return Content.assemble(
        ("▶ " if here else "  ", "$primary"),
        (one_line(ask.task, 24).ljust(25), "bold" if here else ""),
        (one_line(ask.title, 100), "$text-muted"),
    )
