"""What is asked, in full: it scrolls, and says how much of it is not seen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

_COLOURS = {"+": "$text-success", "-": "$text-error", "?": "bold $warning"}


class AskBody(Vertical):
    """Nobody should approve a command whose end they have not seen without knowing that."""

    STEPS: ClassVar[dict[str, int]] = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}

    def __init__(self) -> None:
        super().__init__(classes="ask--frame")
        self._lines: list[str] = []
        self._place = ""

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False, classes="ask--body"):
            yield Static(classes="ask--text")
        yield Static(classes="ask--more")

    def on_mount(self) -> None:
        self.query_one(".ask--more").display = False
        self.watch(self._window, "scroll_y", self._tell_the_rest, init=False)

    def on_resize(self) -> None:
        self._tell_the_rest()

    def show(self, lines: list[str], place: str) -> None:
        """Show these lines; the same list again is not laid out again.

        Args:
            lines: sanitised, the first of them a heading.
            place: which of several asks it is; "" for the only one.
        """
        if lines is self._lines and place == self._place:
            return
        self._lines, self._place = lines, place
        shown = [_coloured(line) for line in lines]
        if place:
            shown[0] = Content.assemble(shown[0], (f"   {place}", "$text-muted"))
        self.query_one(".ask--text", Static).update(Content("\n").join(shown))
        self.call_after_refresh(self._tell_the_rest)

    def begin(self) -> None:
        """Something else is shown, from its top."""
        self._window.scroll_home(animate=False)

    def take(self, key: str) -> bool:
        """Whether this key scrolls; then it has."""
        match key:
            case "home":
                self._window.scroll_home(animate=False)
            case "end":
                self._window.scroll_end(animate=False)
            case _ if key in self.STEPS:
                self._window.scroll_relative(y=self.STEPS[key], animate=False)
            case _:
                return False
        return True

    @property
    def _window(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)

    def _tell_the_rest(self) -> None:
        above = round(self._window.scroll_y)
        below = max(0, self._window.max_scroll_y - above)
        more = self.query_one(".ask--more", Static)
        more.display = bool(above or below)
        words = f"… {_rows(below)} below: ↓, end" if below else f"… {_rows(above)} above: ↑, home"
        more.update(Content.styled(words, "bold $text-warning" if below else "$text-muted"))


def _rows(count: int) -> str:
    return f"{count} more line" if count == 1 else f"{count} more lines"


def _coloured(line: str) -> Content:
    colour = _COLOURS.get(line.strip()[:1], "")
    return Content.styled(line, colour) if colour else Content(line)
