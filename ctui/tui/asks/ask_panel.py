"""The panel in which an ask is answered. It takes the focus only back, never away from somebody."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ctui.tasks.model import Answer, Ask
from ctui.tui.asks.ask_body import AskBody
from ctui.tui.asks.ask_form import AskForm, Choice, Wants
from ctui.tui.asks.focus_return import FocusReturn
from ctui.tui.asks.key_guard import KeyGuard
from ctui.tui.asks.key_words import packed

_WRITING = (Choice("enter", "sends"), Choice("esc", "leaves"))


class AskPanel(Vertical, can_focus=True):
    """Panel with the oldest ask of a list; its keys work while it has the focus.

    An ask that words are written for stays until they are sent or left, even if it is not asked
    any more: what was meant for it must become neither a key nor an answer for another.
    """

    class Answered(Message):
        """Message that the person decided."""

        def __init__(self, panel: AskPanel, ask: Ask, answer: Answer) -> None:
            super().__init__()
            self.panel = panel
            self.ask = ask
            self.answer = answer

    class Emptied(Message):
        """Message that the last ask is gone, and the focus with it: nothing had it before."""

    def __init__(self, *, share: float = 0.4) -> None:
        """Prepare a panel without an ask.

        Args:
            share: of the screen's height, that the ask's own lines take at most.
        """
        super().__init__()
        self._share = share
        self._asks: list[Ask] = []
        self._form: AskForm | None = None
        self._wants = Wants.NOTHING
        self._sent = False
        self._done = 0
        self._guard = KeyGuard()
        self._return = FocusReturn()
        self._before: Widget | None = None
        """Widget that had the focus before this panel."""

    def compose(self) -> ComposeResult:
        yield AskBody(self._share)
        yield Static(classes="ask--choices")
        yield Input(classes="ask--words", compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        self.display = False
        self._words.display = False
        self.watch(self.screen, "focused", self._focus_moved, init=False)

    def show(self, asks: list[Ask]) -> None:
        """Show the one of these that is shown already, or the first, or nothing."""
        self._asks = asks
        if self.writing:
            self._redraw()
            return
        if self._form is None or self.gone:
            if asks:
                self._begin(asks[0])
            else:
                self._end()
        self._redraw()

    @property
    def ask(self) -> Ask | None:
        return self._form.ask if self._form else None

    @property
    def writing(self) -> bool:
        """Return True if words are written for the ask that is shown."""
        return self._wants is not Wants.NOTHING

    @property
    def gone(self) -> bool:
        """Return True if the ask that is shown is not asked any more."""
        return self._form is not None and all(ask.id != self._form.ask.id for ask in self._asks)

    def leave_words(self) -> bool:
        """Close the line that is being written; return False if there was none."""
        was_open = self.writing
        if was_open:
            self._close_words()
            self.show(self._asks)
        return was_open

    def start_again(self) -> None:
        """Ask anew after an answer that was not accepted, unless another ask is shown by now."""
        if self._form is not None and self._sent:
            self._form, self._sent, self._done = AskForm(self._form.ask), False, 0
            self._redraw()

    # -- where the focus is

    def on_focus(self) -> None:
        self._guard.start()  # the keys before went somewhere else
        if self.writing:
            self.screen.set_focus(self._words)
        self._redraw()

    def on_blur(self) -> None:
        self._redraw()

    def on_descendant_focus(self) -> None:
        self._redraw()

    def on_descendant_blur(self) -> None:
        # A terminal that is left for a moment has left nothing.
        if self.writing and self.gone and self.app.app_focus and not self.has_focus_within:
            self.leave_words()
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def _focus_moved(self, focused: Widget | None) -> None:
        if focused is not None and self not in focused.ancestors_with_self:
            self._before = focused
            self._return.moved(focused)

    def _may_take_focus_back(self) -> bool:
        if isinstance(self.screen.focused, Input | TextArea):
            return False  # somebody may be writing there
        seen = self.screen.is_current and all(node.display for node in self.ancestors)
        return self._return.wanted and seen and not self.has_focus_within

    # -- keys and words

    def on_key(self, event: events.Key) -> None:
        if self._form is None or not self.has_focus:
            return
        key = event.character if event.character and event.is_printable else event.key
        early = self._guard.holds()
        if self.writing:
            # Typed before the line had the focus.
            taken = event.is_printable
            self._words.insert_text_at_cursor(key if taken else "")
        elif self.query_one(AskBody).take(event.key):
            taken = True
        else:
            taken = self._form.takes(key)
            if self._form.marks(key):
                early = not self._guard.paused
            if taken and not early and not self._sent:
                self._go_on(self._form.press(key))
        if taken:
            event.stop()
            event.prevent_default()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._form is None or not self.writing or self.gone:
            return
        wanted = self._wants
        outcome = self._form.write(wanted, event.value)
        refused = bool(self._form.problem) or (wanted is Wants.TEXT and not event.value.strip())
        if not refused:
            self._close_words()
            self._go_on(outcome)
        self._redraw()

    def _go_on(self, outcome: Answer | Wants) -> None:
        if self._form is None:
            return
        if self._form.done != self._done:
            self._begin_question()
        if isinstance(outcome, Answer):
            self._sent = True
            self._return.answered()
            self.post_message(self.Answered(self, self._form.ask, outcome))
        elif outcome is not Wants.NOTHING:
            self._open_words(outcome)
        self._redraw()

    def _open_words(self, wanted: Wants) -> None:
        if self._form is None:
            return
        self._wants, self._form.problem = wanted, ""
        words = self._words
        words.value, words.placeholder, words.display = "", self._form.hint(wanted), True
        self.screen.set_focus(words)

    def _close_words(self) -> None:
        self._wants = Wants.NOTHING
        if self._form is not None:
            self._form.problem = ""
        if self.has_focus_within:
            self.screen.set_focus(self)
        self._words.display = False

    # -- what is shown

    def _begin(self, ask: Ask) -> None:
        self._form, self._sent = AskForm(ask), False
        self._begin_question()
        self.display = True
        if self._may_take_focus_back():
            self.focus()

    def _begin_question(self) -> None:
        """Show a question that the person has not seen, from its top."""
        self._done = self._form.done if self._form else 0
        self._guard.start()
        self.query_one(AskBody).begin()

    def _end(self) -> None:
        had_focus = self.has_focus_within
        self._form = None
        if had_focus:
            # Hidden with the focus, it would give it to whatever comes next.
            self._return.emptied()
            before = self._before if self._before is not None and _is_seen(self._before) else None
            self.screen.set_focus(before)
            if before is None:
                self.post_message(self.Emptied())
        self.display = False

    @property
    def _words(self) -> Input:
        return self.query_one(Input)

    def _redraw(self) -> None:
        if self._form is None:
            return
        ids = [ask.id for ask in self._asks]
        several = len(ids) > 1 and not self.gone
        place = f"{ids.index(self._form.ask.id) + 1} of {len(ids)}" if several else ""
        self.query_one(AskBody).show(self._form.lines(), place)
        self.query_one(".ask--choices", Static).update(self._choices(self._form))

    def _choices(self, form: AskForm) -> Content:
        width = self.content_size.width
        if self.writing and self.gone:
            note = Content.styled("it is not asked any more", "$text-warning")
            return Content("   ").join([note, packed([Choice("esc", "closes")], width)])
        if not self.has_focus_within:
            return packed([Choice("tab", "answers")], width)
        if self._sent:
            return Content.styled("answered", "$text-muted")
        keys = packed(_WRITING if self.writing else form.choices(), width)
        if not form.problem:
            return keys
        return Content("\n").join([Content.styled(form.problem, "$text-error"), keys])


def _is_seen(widget: Widget) -> bool:
    return widget.is_attached and all(
        node.display for node in widget.ancestors_with_self if isinstance(node, Widget)
    )
