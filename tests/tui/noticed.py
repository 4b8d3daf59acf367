"""A terminal that nobody looks at, in which a task asks. Run in a pseudo-terminal.

python -m tests.tui.noticed
"""

from __future__ import annotations

import time

import msgspec
from textual.app import App

from ctui.config import ClaudeConfig
from ctui.tasks.calls import Update
from ctui.tui.board.board import Board
from ctui.tui.dashboard.noticing import Noticing
from ctui.tui.support.options import ScreenOptions
from ctui.tui.support.terminal_signals import kept_title
from tests.tui.test_board import GIT, ask, task


class Noticed(App[None]):
    """Takes one ask, and exits."""

    def on_mount(self) -> None:
        board = Board(GIT)
        board.take(Update(task=task("a")))
        noticing = Noticing(self, ScreenOptions(ClaudeConfig()), lambda _task, _until: None)
        noticing.show_title("ctui api · 1 ask")
        noticing.attention.focus(focused=False)
        asked = msgspec.structs.replace(ask(1), created=time.time_ns(), title="sure?\x1b]2;x\x07")
        noticing.take(Update(ask=asked), board)
        self.exit()


if __name__ == "__main__":
    with kept_title():
        Noticed().run()
