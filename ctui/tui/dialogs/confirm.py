"""Small questions before something happens that cannot simply be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.tui.asks.key_guard import KeyGuard


class Confirm(ModalScreen[bool]):
    """Question: yes by `y` alone, else no; keys of who is still typing do not count.

    Enter is no yes: it is also the key that opens some of them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
    ]

    def __init__(self, question: str, facts: list[str], *, yes: str) -> None:
        """Prepare a question in one line, with what follows from a yes.

        Args:
            question: sanitised, as all texts here.
            facts: one line each.
            yes: what happens, as a verb.
        """
        super().__init__()
        self._question = question
        self._facts = facts
        self._yes = yes
        self._guard = KeyGuard()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(self._question, "bold"), classes="dialog--title")
            if self._facts:
                yield Static(Content("\n".join(self._facts)), classes="dialog--text")
            keys = Content.assemble(
                ("y", "bold $primary"), f" {self._yes}   ", ("esc", "bold $primary"), " leave it"
            )
            yield Static(keys, classes="dialog--keys")

    def on_mount(self) -> None:
        self._guard.start()

    def on_key(self, event: events.Key) -> None:
        if event.key != "escape" and self._guard.holds():
            event.stop()

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


def confirm(app: App[Any], dialog: Confirm, do: Callable[[], None]) -> None:
    """Ask, and do it after a yes."""
    app.push_screen(dialog, lambda answer: do() if answer else None)
