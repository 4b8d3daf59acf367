"""Signs of what happens beside the list: toasts, the bell, the desktop, the terminal's title."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from time import monotonic
from typing import Any

from textual.app import App

from ctui.tasks.calls import Update
from ctui.tasks.model import Task
from ctui.tui.board.board import Board
from ctui.tui.dashboard.attention import Alert, Attention, Occasion, alerts_of
from ctui.tui.dashboard.reading import Reading
from ctui.tui.support import terminal_signals
from ctui.tui.support.options import ScreenOptions

_TOAST_SECONDS = 8.0


class Noticing:
    """Link between what happens and whoever may be looking."""

    def __init__(
        self, app: App[Any], options: ScreenOptions, read: Callable[[Task, int], None]
    ) -> None:
        """Begin now: what was there before is in the list, and nobody is called for it.

        Args:
            app: whose terminal.
            options: whether there is a bell, and whether the desktop is told.
            read: called with a task and the time until which the person has read it.
        """
        self.attention = Attention(monotonic())
        self._app = app
        self._options = options
        self._read = read
        self._reading = Reading()
        self._since = time.time_ns()
        self._title = ""

    def take(self, update: Update, board: Board) -> None:
        """Tell what an update brings, before the board has it."""
        before = board.tasks.get(update.task.id) if update.task else None
        for alert in alerts_of(update, before, board.asks, self._since):
            if alert.occasion is Occasion.ASK or board.is_here(update):
                self._tell(alert)

    def look(self, task: Task | None) -> None:
        """Take note of what is on the screen; called about once a second.

        Args:
            task: the one that is shown, with nothing in front of it.
        """
        looked_at = task if self.attention.looks(monotonic()) else None
        until = self._reading.look(looked_at, monotonic())
        if task is not None and until is not None:
            self._read(task, until)

    def show_title(self, text: str) -> None:
        """Give the terminal a title, if it has another."""
        if text != self._title:
            self._title = text
            terminal_signals.send(self._app, terminal_signals.title(text))

    def _tell(self, alert: Alert) -> None:
        away = not self.attention.looks(monotonic())
        if alert.occasion in {Occasion.NOTE, Occasion.URGENT, Occasion.SERVES}:
            urgent = alert.occasion is Occasion.URGENT
            self._app.notify(
                alert.text,
                severity="warning" if urgent else "information",
                timeout=_TOAST_SECONDS,
                markup=False,
            )
        rings = away or alert.occasion in {Occasion.ASK, Occasion.URGENT}
        if self._options.bell and rings and alert.occasion not in {Occasion.NOTE, Occasion.SERVES}:
            self._app.bell()
        if self._options.notify and away:
            sequence = terminal_signals.notification(alert.text, os.environ)
            terminal_signals.send(self._app, sequence)
