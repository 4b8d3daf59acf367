"""What changed, as one widget that paints rows itself, however much it is (Textual's line API)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from ctui.client.review.reviewing import Lines
from ctui.tasks.threads import MOST_QUOTED
from ctui.tui.review.diff_window import DiffWindow, Place
from ctui.tui.review.file_diff import DiffLine
from ctui.tui.review.file_rows import DRAFT_HEIGHT, Kind
from ctui.tui.review.row_strips import STYLES as ROW_STYLES
from ctui.tui.text.lines import STYLES
from ctui.tui.transcript.palette import palette_of, style_of
from ctui.tui.transcript.scrollbar_sync import ScrollbarSync
from ctui.tui.transcript.strips import Palette

_MARGIN = 2
"""Lines that stay visible above and below the cursor."""


class DiffView(ScrollView, can_focus=True):
    """View of all files with a cursor on one of their lines."""

    DEFAULT_CSS = """
    DiffView { overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"transcript--{name}" for name in STYLES),
        *(f"review--{name}" for name in ROW_STYLES),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("shift+up,K", "move(-1, True)", "Choose more lines above", show=False),
        Binding("shift+down,J", "move(1, True)", "Choose more lines below", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("home", "edge(-1)", "Top", show=False),
        Binding("end,G", "edge(1)", "Bottom", show=False),
        Binding("V", "choose_lines", "Begin to choose lines, or end", show=False),
        Binding("o,enter", "toggle_fold", "Fold or unfold a file", show=False),
    ]

    class Moved(Message):
        """Message that the cursor is in another file, or that other files came near."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.window = DiffWindow()
        self.cursor = Place(0, 0)
        self.wanted_split: bool | None = None
        """Whether both sides stand beside each other; None decides by the width."""
        self._chosen_from: Place | None = None
        self._base = Style.null()
        self._cursor_style = self._chosen_style = self._bar_style = Style.null()
        self._scrollbar_sync = ScrollbarSync()
        self._styled: tuple[object, ...] = ()

    # -- what is shown

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the window, and keep what is looked at where it is."""
        if not self.window.files or not self.window.width:
            yield
            self._settled(self.scroll_offset.y)
            return
        line = self.window.line_of(self.window.clamped(self.cursor))
        in_sight = 0 <= line - self.scroll_offset.y < self.size.height
        place, rest = self.window.at(self.scroll_offset.y)
        yield
        self.cursor = self._standing(self.window.clamped(self.cursor))
        if in_sight:
            top = self.window.line_of(self.cursor) - (line - self.scroll_offset.y)
        else:
            top = self.window.line_of(self.window.clamped(place)) + rest
        self._settled(top)

    def begin(self) -> None:
        """Stand on the first line that changed."""
        self.cursor, self._chosen_from = Place(0, 0), None
        self._settled(0)

    def go_to_file(self, index: int) -> None:
        """Show a file from its name on."""
        self._chosen_from = None
        self.cursor = Place(index, 0)
        self._settled(self.window.line_of(self.cursor))

    def stand_on_change(self) -> None:
        """Move the cursor from a file's name to the first line that changed in it."""
        if self.cursor.row == 0 and self.cursor.file in self.window.diffs:
            for place in self.window.walk(self.cursor, 1):
                if place.file != self.cursor.file:
                    return
                if self.window.is_change(place):
                    self._stand(self._added_at(place))
                    return

    def _added_at(self, place: Place) -> Place:
        """Return the first line of a block of changes that is there now, if it has one."""
        diff = self.window.diffs[place.file]
        for found in chain([place], self.window.walk(place, 1)):
            row = self.window.row(found)
            if found.file != place.file or not self.window.is_change(found):
                break
            if any(diff.lines[line].new for line in (row.left, row.right) if line >= 0):
                return found
        return place

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

    def lines(self) -> tuple[Lines, int] | None:
        """Return the chosen lines as a comment names them, and the index of the last one.

        They are lines after the change, or before it where all of them are gone.
        """
        first, last = self.chosen
        diff = self.window.diffs.get(first.file)
        if diff is None:
            return None
        rows = self.window.rows(first.file).rows[first.row : last.row + 1]
        seen = [row for row in rows if row.kind is Kind.LINE][:MOST_QUOTED]
        indexes = [max(row.left, row.right) for row in seen]
        if not indexes:
            return None
        found: list[DiffLine] = [diff.lines[index] for index in indexes]
        new = [line for line in found if line.new]
        quoted = new or found
        start = quoted[0].new if new else quoted[0].old
        name = diff.file.name
        lines = Lines(name, "new" if new else "old", start, tuple(one.quote for one in quoted))
        return lines, indexes[-1]

    def number(self) -> int:
        """Return the number of the line at the cursor as the file has it now, from 1."""
        diff = self.window.diffs.get(self.cursor.file)
        row = self.window.row(self.cursor)
        if diff is None or not diff.lines:
            return 1
        start = max(row.left, row.right, 0)
        behind = (line.new for line in diff.lines[start:] if line.new)
        return next(behind, diff.lines[-1].new or 1)

    def draft_line(self) -> int:
        """Return the line of the window where something is being written."""
        lowest = max(0, self.size.height - DRAFT_HEIGHT)
        draft = self.window.draft
        if draft is None:
            return lowest
        rows = self.window.rows(draft[0]).rows
        found = (number for number, row in enumerate(rows) if row.kind is Kind.DRAFT)
        line = self.window.line_of(Place(draft[0], next(found, 0))) - self.scroll_offset.y
        return max(0, min(line, lowest))

    def show_draft(self) -> None:
        """Scroll so that there is room for what is being written."""
        draft = self.window.draft
        if draft is None:
            return
        rows = self.window.rows(draft[0]).rows
        found = (number for number, row in enumerate(rows) if row.kind is Kind.DRAFT)
        line = self.window.line_of(Place(draft[0], next(found, 0)))
        self._settled(max(self.scroll_offset.y, line + DRAFT_HEIGHT - self.size.height))

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
            return self.wanted_split
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
        cursor = self._line_at_cursor()
        with self.changing():
            self.window.restyle(width, palette, split=self.is_split)
            if cursor >= 0:  # the same line is another row where the sides stand otherwise
                row = self.window.rows(self.cursor.file).line_row(cursor)
                self.cursor = Place(self.cursor.file, row)
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
        lowest = top + max(0, self.size.height - 1 - _MARGIN)
        if not top + _MARGIN <= line <= lowest:
            place, _ = self.window.at(top + _MARGIN if line < top + _MARGIN else lowest)
            self.cursor = self._standing(place)
        self._settled(top)

    # -- what a person does

    def _standing(self, place: Place) -> Place:
        """Return the nearest place at which the cursor can stand."""
        if self.window.files and not self.window.row(place).can_be_chosen:
            for step in (1, -1):
                for found in self.window.walk(place, step):
                    return found
        return place

    def _stand(self, place: Place) -> None:
        """Move the cursor, and the window with it."""
        self.cursor = place
        line, height = self.window.line_of(place), self.size.height
        last = line + min(self.window.height_of(place), height - 2 * _MARGIN)
        top = self.scroll_offset.y
        top = min(top, line - _MARGIN)
        top = max(top, last + _MARGIN - height)
        self._settled(top)

    def action_move(self, step: int, choose: bool = False) -> None:
        if not self.window.files:
            return
        if choose and self._chosen_from is None:
            self._chosen_from = self.cursor
        for place in self.window.walk(self.cursor, step):
            if self._chosen_from is None or place.file == self.cursor.file:
                self._stand(place)
            return

    def action_page(self, step: int) -> None:
        """Scroll by a window, and move the cursor as far."""
        if not self.window.files:
            return
        lines = max(1, self.size.height - 2 * _MARGIN)
        line = self.window.line_of(self.cursor) + step * lines
        place, _ = self.window.at(line)
        top = self.scroll_offset.y + step * lines
        self.cursor = self._standing(place)
        self._settled(top)
        self._stand(self.cursor)

    def action_edge(self, step: int) -> None:
        if not self.window.files:
            return
        last = len(self.window.files) - 1
        end = Place(last, len(self.window.rows(last).rows) - 1)
        self._stand(self._standing(Place(0, 0) if step < 0 else end))

    def action_choose_lines(self) -> None:
        self._chosen_from = None if self.chooses else self.cursor
        self.refresh()

    def action_toggle_fold(self) -> None:
        """Fold the file under the cursor to its name, or unfold it."""
        if self.window.files:
            self.fold(self.cursor.file, folded=self.cursor.file not in self.window.folded)

    def fold(self, index: int, *, folded: bool) -> None:
        """Fold a file to its name, or unfold it."""
        with self.changing():
            (self.window.folded.add if folded else self.window.folded.discard)(index)
            self.window.change(index)

    def go_to_change(self, step: int) -> bool:
        """Go to the next block of changes (1) or the one before (-1); return False for none."""
        if not self.window.files:
            return False
        inside = self.window.is_change(self.cursor)
        found: Place | None = None
        for place in self.window.walk(self.cursor, step):
            if place.row == 0 and not self.window.is_known(place.file):
                found = place  # what is in it comes soon
                break
            changed = self.window.is_change(place)
            if step > 0 and changed and not inside:
                found = place
                break
            if step < 0 and found is not None and not changed:
                break
            if step < 0 and changed and not inside:
                found = place
            inside = inside and changed
        if found is not None:
            self._chosen_from = None
            self._stand(found)
        return found is not None

    def on_click(self, event: events.Click) -> None:
        if not self.window.files:
            return
        place, _ = self.window.at(self.scroll_offset.y + event.y)
        self._chosen_from = None
        if place == self.cursor and self.window.row(place).kind is Kind.FILE:
            self.action_toggle_fold()
        elif self.window.row(place).can_be_chosen:
            self.cursor = place
            self._settled(self.scroll_offset.y)


def _on(style: Style | None, ground: Style) -> Style:
    """Return a style on another ground, unless it has a stronger one of its own."""
    return (style or Style.null()) + Style(bgcolor=ground.bgcolor)
