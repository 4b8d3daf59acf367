"""The painted side of what changed: rows, colours, and where the window is (Textual's line API)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from ctui.tui.review.diff_window import DiffWindow, Place
from ctui.tui.review.file_rows import Kind
from ctui.tui.review.row_strips import STYLES as ROW_STYLES
from ctui.tui.text.lines import STYLES
from ctui.tui.transcript.palette import palette_of, style_of
from ctui.tui.transcript.scrollbar_sync import ScrollbarSync
from ctui.tui.transcript.strips import Palette

LEAST_SPLIT = 60
"""Cells in which two sides have room beside each other."""
MARGIN = 2
"""Lines that stay visible above and below the cursor."""


class PaintedDiff(ScrollView, can_focus=True):
    """View of all files, however many: one widget, whose rows are laid out when they are seen."""

    DEFAULT_CSS = """
    PaintedDiff { overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"transcript--{name}" for name in STYLES),
        *(f"review--{name}" for name in ROW_STYLES),
    }

    class Moved(Message):
        """Message that the cursor is in another file, or that other files came near."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.window = DiffWindow()
        self.cursor = Place(0, 0)
        self.wanted_split: bool | None = None
        """True if the person wants both sides beside each other; None lets the width decide."""
        self._chosen_from: Place | None = None
        self._base = Style.null()
        self._cursor_style = self._chosen_style = self._bar_style = Style.null()
        self._scrollbar_sync = ScrollbarSync()
        self._styled: tuple[object, ...] = ()

    # -- what changes

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the window, and keep what is looked at where it is."""
        if not self.window.files or not self.window.width:
            yield
            self._settled(self.scroll_offset.y)
            return
        code = self._line_at_cursor()
        line = self.window.line_of(self.window.clamped(self.cursor))
        in_sight = 0 <= line - self.scroll_offset.y < self.size.height
        place, rest = self.window.at(self.scroll_offset.y)
        yield
        self.cursor = self._standing(self.window.clamped(self.cursor))
        if code >= 0 and self._line_at_cursor() != code:  # there are other rows above it now
            row = self.window.rows(self.cursor.file).line_row(code)
            self.cursor = Place(self.cursor.file, row)
        if in_sight:
            top = self.window.line_of(self.cursor) - (line - self.scroll_offset.y)
        else:
            top = self.window.line_of(self.window.clamped(place)) + rest
        self._settled(top)

    @property
    def chosen(self) -> tuple[Place, Place]:
        """Return the first and the last row that are chosen."""
        start = self._chosen_from
        if start is None or start.file != self.cursor.file:
            return self.cursor, self.cursor
        return min(start, self.cursor), max(start, self.cursor)

    @property
    def chooses(self) -> bool:
        """Return True while several lines are being chosen."""
        return self._chosen_from is not None

    def end_choice(self) -> None:
        self._chosen_from = None
        self.refresh()

    def _standing(self, place: Place) -> Place:
        """Return the nearest place at which the cursor can stand."""
        if self.window.files and not self.window.row(place).can_be_chosen:
            for step in (1, -1):
                for found in self.window.walk(place, step):
                    return found
        return place

    # -- painting

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows of the window: no style is computed per row."""
        if not self.window.width:
            self._fit()
        width = self.window.width
        if not width:
            return [Strip.blank(crop.width, self.rich_style)] * crop.height
        top = self.scroll_offset.y
        rows = [
            self._decorated(strip, place, within)
            for place, within, strip in self.window.frame(top, self.size.height)
        ]
        rows += [Strip.blank(width, self._base)] * (self.size.height - len(rows))
        rows = self._with_name(rows, top)[crop.y : crop.y + crop.height]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():  # as StylesCache does for others
            rows = [strip.apply_filter(line_filter, background) for strip in rows]
        if crop.x or crop.width != width:
            rows = [strip.crop_extend(crop.x, crop.x + crop.width, self._base) for strip in rows]
        return rows

    def _decorated(self, strip: Strip, place: Place, within: int) -> Strip:
        """Return the strip with the cursor's bar, and the ground of lines that are chosen."""
        first, last = self.chosen
        if not first <= place <= last:
            return strip
        is_cursor = place == self.cursor
        if not self.has_focus and not self.chooses:
            if not is_cursor or within:
                return strip
            return self._barred(strip, self._base)
        ground = self._cursor_style if is_cursor else self._chosen_style
        painted = Strip([Segment(item.text, _on(item.style, ground)) for item in strip])
        return self._barred(painted, ground)

    def _barred(self, strip: Strip, ground: Style) -> Strip:
        bar = Strip([Segment("▌", ground + self._bar_style)])
        return Strip.join([bar, strip.crop(1)])

    def _with_name(self, rows: list[Strip], top: int) -> list[Strip]:
        """Keep the name of the file in sight of which the beginning is above the window."""
        if not self.window.files or not rows:
            return rows
        place, _ = self.window.at(top)
        if place.row == 0:
            return rows
        return [self.window.strips(Place(place.file, 0))[0], *rows[1:]]

    # -- geometry

    def on_resize(self) -> None:
        self._fit()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    @property
    def is_split(self) -> bool:
        """Return True if both sides stand beside each other."""
        if self.wanted_split is not None:
            return self.wanted_split and self.size.width >= LEAST_SPLIT
        return self.screen.size.width >= 150

    def restyle(self) -> None:
        """Lay everything out anew."""
        palette = self._palette()
        width = self.scrollable_content_region.width
        wanted = (width, self.is_split, palette)
        if wanted == self._styled:  # of what it has, only the focus is another
            self.refresh()
            return
        self._styled = wanted
        self._base = palette[""]
        self._cursor_style, self._chosen_style = palette["cursor"], palette["chosen"]
        self._bar_style = palette["bar"]
        if not self.window.width:
            self.window.restyle(width, palette, split=self.is_split)
            self._settled(self.scroll_offset.y)
            return
        with self.changing():
            self.window.restyle(width, palette, split=self.is_split)
            self._chosen_from = None

    def _line_at_cursor(self) -> int:
        if not self.window.files:
            return -1
        row = self.window.row(self.window.clamped(self.cursor))
        return max(row.left, row.right) if row.kind is Kind.LINE else -1

    def _palette(self) -> Palette:
        own = {name: style_of(self, name, "review") for name in ROW_STYLES}
        return {**palette_of(self), **own}

    def _fit(self) -> None:
        width = self.scrollable_content_region.width
        if width and (width != self.window.width or self.is_split != self.window.split):
            self.restyle()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.window.width and self.is_attached:
            self.restyle()

    def _settled(self, top: int) -> None:
        """Make what is near the window exact, and show it from a line on."""
        if not self.window.width:
            return
        top = self.window.settle(max(0, top), max(1, self.size.height))
        size = Size(self.window.width, self.window.total)
        if size != self.virtual_size:
            # Assigned in the ordinary way, it would lay the whole screen out again.
            self.set_reactive(Widget.virtual_size, size)
        self._move_to(top)

    def _move_to(self, line: int) -> None:
        line = max(0, min(line, self.window.total - self.size.height))
        # Assigned in the ordinary way, it would come back as something that the person did.
        self.set_reactive(Widget.scroll_y, float(line))
        self.set_reactive(Widget.scroll_target_y, float(line))
        self._move_bar(line)
        self.refresh()
        self.post_message(self.Moved())

    def _move_bar(self, line: int) -> None:
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            self._scrollbar_sync.move(bar, line, self.size.height, self.window.total)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the wheel and the bar: the cursor stays in sight."""
        if round(old_value) == round(new_value) or not self.window.files:
            return
        top = self.window.settle(round(new_value), max(1, self.size.height))
        line = self.window.line_of(self.cursor)
        lowest = top + max(0, self.size.height - 1 - MARGIN)
        if not top + MARGIN <= line <= lowest:
            place, _ = self.window.at(top + MARGIN if line < top + MARGIN else lowest)
            self.cursor = self._standing(place)
        self._settled(top)


def _on(style: Style | None, ground: Style) -> Style:
    """Return a style on another ground, unless it has a stronger one of its own."""
    return (style or Style.null()) + Style(bgcolor=ground.bgcolor)
