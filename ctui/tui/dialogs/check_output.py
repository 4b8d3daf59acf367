"""The output of a check as it comes, while a landing waits for it."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Log, Static

_LINES = 2000
_SECONDS = 0.25


class CheckLines:
    """The last lines of a check, which another thread adds to; all of them are safe to show."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES)
        self.note = "it is computed"

    def add(self, line: str) -> None:
        """Add a line that the check has printed."""
        self._lines.append(line)

    def say(self, note: str) -> None:
        """Say what happens now."""
        self.note = note

    def take(self) -> list[str]:
        """Return the lines that came since the last time."""
        taken = []
        while self._lines:
            taken.append(self._lines.popleft())
        return taken


class CheckOutput(ModalScreen[None]):
    """Window on a check that goes on without it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Close")]

    def __init__(self, name: str, lines: CheckLines) -> None:
        """Prepare the window of a worktree's landing, whose name is sanitised."""
        super().__init__()
        self._name_of_worktree, self._lines = name, lines

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog check"):
            title = Content.styled(f"Landing {self._name_of_worktree}", "bold")
            yield Static(title, classes="dialog--title")
            yield Static(id="note", classes="dialog--text")
            yield Log(max_lines=_LINES, classes="check--output")
            keys = Content.assemble(("esc", "bold $primary"), " hide it: the check goes on")
            yield Static(keys, classes="dialog--keys")

    def on_mount(self) -> None:
        self._show()
        self.set_interval(_SECONDS, self._show)

    def _show(self) -> None:
        self.query_one("#note", Static).update(Content(self._lines.note))
        if lines := self._lines.take():
            self.query_one(Log).write_lines(lines)

    def action_leave(self) -> None:
        self.dismiss()
