"""Everything that is asked, and what was told, of all tasks: urgent things first, then old ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.humanize import short_age
from ctui.text import one_line
from ctui.tui.asks.ask_form import Choice
from ctui.tui.asks.ask_panel import AskPanel
from ctui.tui.asks.key_words import packed
from ctui.tui.board.board import Board, Entry
from ctui.tui.support.task_actions import TaskActions

_REFRESH_SECONDS = 0.25
_MOST_SHOWN = 12
_LEAST_SHOWN = 3
_WIDTH = 92
_NOTE_WIDTH = 500
_MOVE = Choice("←→", "another")
_READ = Choice("space", "read")
_OPEN = Choice("enter", "opens the task")
_CLOSE = Choice("esc", "close")


class Inbox(ModalScreen[str | None]):
    """Screen that shows one thing after the other; it ends with a task that is to be opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("enter", "open", "Open the task"),
        Binding("space", "read", "Read"),
        Binding("right,j", "move(1)", "Next"),
        Binding("left,k", "move(-1)", "Previous"),
    ]

    clock: Callable[[], int] = staticmethod(time.time_ns)

    def __init__(self, board: Board, task_actions: TaskActions) -> None:
        super().__init__()
        self._board = board
        self._task_actions = task_actions
        self._place = 0
        self._shown: Entry | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog inbox"):
            yield Static(classes="dialog--title")
            yield Static(classes="inbox--list")
            yield Static(classes="inbox--note")
            yield AskPanel(share=0.25)
            yield Static(classes="dialog--keys")

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
        entries = self._board.inbox
        if entries and not self._panel.writing:
            self._shown = entries[(self._place + step) % len(entries)]
            self._show()

    def action_open(self) -> None:
        """Close the inbox, and show the task whose turn it is."""
        if self._shown is not None and not self._panel.writing:
            self.dismiss(self._shown.task)

    def action_read(self) -> None:
        """Let what was told be read; what is asked waits for its answer."""
        if self._shown is not None and self._shown.ask is None:
            self._task_actions.mark_read(self._shown.task, self._shown.since)

    def action_leave(self) -> None:
        if self._panel.leave_words():
            self._show()
        else:
            self.dismiss()

    @property
    def _panel(self) -> AskPanel:
        return self.query_one(AskPanel)

    def _show(self) -> None:
        entries = self._board.inbox
        shown = self._choose(entries)
        self._show_ask(shown)
        asks = sum(entry.ask is not None for entry in entries)
        told = f"  {len(entries) - asks} told" if asks < len(entries) else ""
        title = f"Inbox  {asks}{told}" if entries else "Nothing is asked"
        self.query_one(".dialog--title", Static).update(Content.styled(title, "bold"))
        most = max(_LEAST_SHOWN, min(_MOST_SHOWN, self.size.height // 6))
        first = max(0, min(self._place - most // 2, len(entries) - most))
        now = self.clock()
        lines = [_row(entry, now, here=entry is shown) for entry in entries[first : first + most]]
        self.query_one(".inbox--list", Static).update(Content("\n").join(lines))

    def _show_ask(self, shown: Entry | None) -> None:
        panel, note = self._panel, self.query_one(".inbox--note", Static)
        panel.show([shown.ask] if shown is not None and shown.ask is not None else [])
        if panel.display and not panel.has_focus_within:
            panel.focus()
        told = shown is not None and shown.ask is None
        note.display = told
        if shown is not None and told:
            note.update(Content(one_line(shown.text, _NOTE_WIDTH)))
        keys = [
            *([_READ] if told else []),
            *([_MOVE] if len(self._board.inbox) > 1 else []),
            *([_OPEN] if shown is not None else []),
            _CLOSE,
        ]
        self.query_one(".dialog--keys", Static).update(packed(keys, _WIDTH))

    def _choose(self, entries: Sequence[Entry]) -> Entry | None:
        """Return what to show, if anything; nothing replaces an ask that words are written for."""
        keys = [entry.key for entry in entries]
        if self._shown is not None and self._shown.key in keys:
            self._place = keys.index(self._shown.key)
        elif self._panel.writing or not entries:
            return None
        else:
            self._place = min(self._place, len(entries) - 1)
        self._shown = entries[self._place]
        return self._shown


def _row(entry: Entry, now: int, *, here: bool) -> Content:
    mark = "✉ " if entry.ask is None else "! " if entry.urgent else "  "
    return Content.assemble(
        ("▶ " if here else "  ", "$primary"),
        (mark, "bold $warning" if entry.urgent else "$text-muted"),
        (one_line(entry.task, 24).ljust(25), "bold" if here else ""),
        (short_age(entry.since, now).rjust(4) + "  ", "$text-muted"),
        (one_line(entry.text, 100), "$text-muted"),
    )
