"""The panel in which an ask is answered. It never takes the focus by itself."""

from __future__ import annotations

from time import monotonic

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from ctui.tasks.model import Answer, Ask
from ctui.tui.ask_form import AskForm, Wants

GUARD_SECONDS = 0.4
"""Keys are ignored for so long after an ask appeared: they were meant for something else."""

_LINE_COLOURS = {"+": "$text-success", "-": "$text-error", "?": "bold $warning"}


class AskPanel(Vertical, can_focus=True):
    """Shows the oldest ask of a list; its keys work while it has the focus."""

    class Answered(Message):
        """The person decided."""

        def __init__(self, panel: AskPanel, ask: Ask, answer: Answer) -> None:
            super().__init__()
            self.panel = panel
            self.ask = ask
            self.answer = answer

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._form: AskForm | None = None
        self._count = 0
        self._since = 0.0
        self._wants = Wants.NOTHING

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False, classes="ask--body"):
            yield Static(classes="ask--text")
        yield Static(classes="ask--choices")
        yield Input(classes="ask--words", compact=True)

    def on_mount(self) -> None:
        self.display = False
        self.query_one(Input).display = False

    def show(self, asks: list[Ask]) -> None:
        """Show the first of these, or nothing."""
        self._count = len(asks)
        first = asks[0] if asks else None
        if first is None:
            had_focus = self.has_focus_within
            self._form = None
            self.display = False
            if had_focus:
                self.post_message(self.Emptied())
            return
        if self._form is None or self._form.ask.id != first.id:
            self._form = AskForm(first)
            self._since = monotonic()
            self._hide_words()
            self.query_one(VerticalScroll).scroll_home(animate=False)
        self.display = True
        self._redraw()

    class Emptied(Message):
        """The last ask is gone while the panel had the focus."""

    @property
    def ask(self) -> Ask | None:
        return self._form.ask if self._form else None

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def on_key(self, event: events.Key) -> None:
        if self._form is None or not self.has_focus:
            return
        if event.key in {"up", "down", "pageup", "pagedown"}:
            self._scroll(event.key)
            event.stop()
            return
        key = event.character if event.character and event.is_printable else event.key
        if monotonic() - self._since < GUARD_SECONDS:
            return
        known = {choice.key for choice in self._form.choices()}
        if key not in known and not key.isdigit():
            return
        event.stop()
        event.prevent_default()
        self._go_on(self._form.press(key))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._form is not None:
            wanted = self._wants
            self._hide_words()
            self.focus()
            self._go_on(self._form.write(wanted, event.value))

    def leave_words(self) -> bool:
        """Close the line that is being written; whether there was one."""
        open_line = self._wants is not Wants.NOTHING
        if open_line:
            self._hide_words()
            self.focus()
        return open_line

    def start_again(self) -> None:
        """The answer was not accepted: ask anew."""
        if self._form is not None:
            self._form = AskForm(self._form.ask)
            self._redraw()

    def _go_on(self, outcome: Answer | Wants) -> None:
        if self._form is None:
            return
        if isinstance(outcome, Answer):
            self.post_message(self.Answered(self, self._form.ask, outcome))
            return
        self._wants = outcome
        if outcome is not Wants.NOTHING:
            words = self.query_one(Input)
            words.value, words.placeholder, words.display = "", outcome.value, True
            words.focus()
        else:
            self._redraw()

    def _hide_words(self) -> None:
        self._wants = Wants.NOTHING
        self.query_one(Input).display = False

    def _scroll(self, key: str) -> None:
        body = self.query_one(VerticalScroll)
        step = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}[key]
        body.scroll_relative(y=step, animate=False)

    def _redraw(self) -> None:
        if self._form is None:
            return
        lines = [_coloured(line) for line in self._form.lines()]
        if self._count > 1:
            lines[0] = Content.assemble(lines[0], (f"   1 of {self._count}", "$text-muted"))
        self.query_one(".ask--text", Static).update(Content("\n").join(lines))
        self.query_one(".ask--choices", Static).update(self._choices())

    def _choices(self) -> Content:
        if self._form is None:
            return Content("")
        if not self.has_focus_within:
            return Content.assemble(("tab", "bold $primary"), (" answers", "$text-muted"))
        parts: list[tuple[str, str]] = []
        for choice in self._form.choices():
            parts += [(choice.key, "bold $primary"), (f" {choice.label}   ", "")]
        return Content.assemble(*parts)


def _coloured(line: str) -> Content:
    colour = _LINE_COLOURS.get(line.strip()[:1], "")
    return Content.styled(line, colour) if colour else Content(line)
