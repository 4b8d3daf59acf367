"""The lines of an ask, in full: they scroll, and it says how much of them is not seen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.css.scalar import Scalar
from textual.screen import Screen
from textual.widgets import Static

_LEAST_ROWS = 3
_COLOURS = {"+": "$text-success", "-": "$text-error", "?": "bold $warning", "!": "bold $error"}


class AskBody(Vertical):
    """Scrolled lines, with a note of those not seen, so that nobody approves them unawares."""

    STEPS: ClassVar[dict[str, int]] = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}

    def __init__(self, share: float) -> None:
        """Prepare an empty body.

        Args:
            share: of the screen's height, that it takes at most.
        """
        super().__init__(classes="ask--frame")
        self._share = share
        self._window = VerticalScroll(can_focus=False, classes="ask--body")
        self._text = Static(classes="ask--text")
        self._more = Static(classes="ask--more")
        self._lines: list[str] = []
        self._place = ""
        self._rest = (0, 0)

    def compose(self) -> ComposeResult:
        with self._window:
            yield self._text
        yield self._more

    def on_mount(self) -> None:
        self._more.display = False
        self.watch(self._window, "scroll_y", self._tell_the_rest, init=False)
        self.screen.screen_layout_refresh_signal.subscribe(self, self._fit, immediate=True)

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
        self._text.update(Content("\n").join(shown))

    def begin(self) -> None:
        """Scroll to the top, because something else is shown."""
        self._window.scroll_home(animate=False)

    def take(self, key: str) -> bool:
        """Return True if this key scrolls; then it has."""
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

    def _fit(self, screen: Screen[object]) -> None:
        if not self._window.is_attached:
            return  # it is being removed
        # Textual ignores a share of the screen as the limit of what grows inside what grows.
        rows = max(_LEAST_ROWS, int(screen.size.height * self._share))
        if self._window.styles.max_height != Scalar.from_number(rows):
            self._window.styles.max_height = rows
        self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        above = round(self._window.scroll_y)
        below = max(0, self._window.max_scroll_y - above)
        if (above, below) == self._rest:
            return
        self._rest = (above, below)
        self._more.display = bool(above or below)
        words = f"… {_rows(below)} below: ↓, end" if below else f"… {_rows(above)} above: ↑, home"
        self._more.update(Content.styled(words, "bold $text-warning" if below else "$text-muted"))


def _rows(count: int) -> str:
    return f"{count} more line" if count == 1 else f"{count} more lines"


def _coloured(line: str) -> Content:
    colour = _COLOURS.get(line.strip()[:1], "")
    return Content.styled(line, colour) if colour else Content(line)
