"""The transcript of one task on the screen: one widget, however long the transcript is.

It paints rows itself (Textual's line API). Only blocks near the window are laid out; the heights of
all others are estimates, and when one above the window turns out different, the scroll position
moves with it, so that what is read stays where it is. Nothing here causes a layout of the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from ctui.claude.transcript.blocks import Block
from ctui.claude.transcript.ledger import Changes
from ctui.tui.support.frame_clock import FrameClock
from ctui.tui.text.lines import STYLES
from ctui.tui.transcript.block_window import BlockWindow
from ctui.tui.transcript.palette import palette_of, style_of
from ctui.tui.transcript.row_paint import ROW_BITS, changed_rows, matched, selected
from ctui.tui.transcript.scrollbar_sync import ScrollbarSync
from ctui.tui.transcript.search import Search

_NEAR_TOP_ROWS = 60


class TranscriptView(ScrollView, can_focus=True):
    """View of blocks that follows their end, folds, selects, and finds."""

    DEFAULT_CSS = """
    TranscriptView {
        overflow-y: scroll; overflow-x: hidden; scrollbar-size-vertical: 1;
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"transcript--{name}" for name in STYLES),
        "transcript--match",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "scroll_home", "Top", show=False),
        Binding("end", "scroll_end", "Follow", show=False),
        Binding("o", "toggle_fold", "Fold", show=False, id="transcript.fold"),
    ]

    class EarlierWanted(Message):
        """Message that the top is near, and that there may be blocks in front of it."""

    def __init__(self, clock: FrameClock, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.follows = True
        """True if the end stays in the window as it grows."""
        self._clock = clock
        self._window = BlockWindow()
        self._base = Style.null()
        self._blank = Strip([])
        self._frame: list[Strip] | None = None
        self._frame_key: tuple[int, ...] = ()
        self._generation = 0
        self._search = Search()
        self._scrollbar_sync = ScrollbarSync()

    # -- the model

    def show_blocks(self, blocks: Sequence[Block], *, keep_place: bool = False) -> None:
        """Show these blocks, which may grow and change from now on.

        With `keep_place` they end like those before, and more are in front: what is read stays.
        """
        index, within = self._window.place(self.scroll_offset.y)
        behind = len(self._window.blocks) - index
        self._search.begin_at_window()
        self._window.show(blocks)
        if keep_place and not self.follows:
            self._move_to(self._window.row_of(max(0, len(blocks) - behind), within))
        self._request_frame()

    def take(self, changes: Changes) -> None:
        """Take changes of the blocks."""
        self._window.take(changes)
        self._request_frame()

    def _request_frame(self) -> None:
        if self.is_attached:
            self._clock.request(self)

    # -- painting

    def paint(self) -> None:
        """Bring the window up to date; called by the frame clock."""
        if not self.is_attached or not self.is_on_screen:
            return
        self._fit()
        if not self._window.width:
            return
        self._settle()
        before = self._frame if self._frame_key == self._key() else None
        self._frame = self._take_frame()
        if before is None or self._decorated:
            self.refresh()
            return
        changed = changed_rows(before, self._frame)
        if len(changed) * 3 > len(self._frame) * 2:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, row, self._window.width, 1) for row in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows of the window, straight from the cache: no style is computed per row."""
        if not self._window.width:
            self._fit()  # the event of its size may come long after its first painting
        if not self._window.width:
            return [Strip.blank(crop.width, self.rich_style)] * crop.height
        if self._frame is None or self._frame_key != self._key():
            self._frame = self._take_frame()
        rows = self._frame[crop.y : crop.y + crop.height]
        if self._decorated:
            first = self.scroll_offset.y + crop.y
            rows = [self._decorate(strip, first + place) for place, strip in enumerate(rows)]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():  # as StylesCache does for others
            rows = [strip.apply_filter(line_filter, background) for strip in rows]
        if crop.x or crop.width != self._window.width:
            base = self._base
            rows = [strip.crop_extend(crop.x, crop.x + crop.width, base) for strip in rows]
        return rows

    def render_line(self, y: int) -> Strip:
        """Return one row with offsets: only for the mouse, which asks what lies under it."""
        return self._window.row_with_offset(self.scroll_offset.y + y, self._blank)

    @property
    def _selection(self) -> Selection | None:
        # While it is being removed it is painted once more, and has no screen.
        return self.screen.selections.get(self) if self.is_attached else None

    @property
    def _decorated(self) -> bool:
        return bool(self._search.needle) or self._selection is not None

    def _decorate(self, strip: Strip, row: int) -> Strip:
        if self._search.needle:
            strip = matched(strip, self._search.needle, self._search.style)
        selection = self._selection
        if selection is None:
            return strip
        index, within = self._window.place(row)
        style = self.screen.get_component_rich_style("screen--selection")
        return selected(strip, selection.get_span(index << ROW_BITS | within), style)

    def _key(self) -> tuple[int, ...]:
        return (self.scroll_offset.y, self.size.height, self._window.width, self._generation)

    def _take_frame(self) -> list[Strip]:
        self._frame_key = self._key()
        top, height = self._frame_key[:2]
        return self._window.frame(top, height, self._blank)

    # -- geometry

    def on_resize(self) -> None:
        self._fit()
        self.paint()

    def _fit(self) -> None:
        """Lay the blocks out anew if the width is another one."""
        width = self.scrollable_content_region.width
        if width != self._window.width:
            index, within = self._window.place(self.scroll_offset.y)
            self._restyle(width)
            if not self.follows:
                self._move_to(self._window.row_of(index, min(within, 3)))

    def _restyle(self, width: int) -> None:
        palette = palette_of(self)
        self._base = palette[""]
        self._blank = Strip.blank(width, self._base)
        self._window.restyle(width, palette)

    def on_show(self) -> None:
        self._clock.request(self)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._window.width and self.is_attached:
            self._generation += 1
            self._restyle(self._window.width)
            self._request_frame()

    def _settle(self) -> None:
        """Make the heights around the window exact, and keep what is read where it is."""
        height = self.size.height
        if self.follows:
            top = self._window.settle_at_end(height)
        else:
            top = self._window.settle_around(self.scroll_offset.y, height)
            if top < _NEAR_TOP_ROWS:
                self.post_message(self.EarlierWanted())
        self._resize_content()
        self._move_to(top)

    def _resize_content(self) -> None:
        size = Size(self._window.width, self._window.total)
        if size != self.virtual_size:
            # Assigned in the ordinary way, it would lay the whole screen out again.
            self.set_reactive(Widget.virtual_size, size)

    def _move_to(self, row: int) -> None:
        row = max(0, min(row, self._window.total - self.size.height))
        # Assigned in the ordinary way, it would come back as something that the person did.
        self.set_reactive(Widget.scroll_y, float(row))
        self.set_reactive(Widget.scroll_target_y, float(row))
        self._move_bar(row)

    def _move_bar(self, row: int) -> None:
        if self.show_vertical_scrollbar:
            self._scrollbar_sync.move(
                self.vertical_scrollbar, row, self.size.height, self._window.total
            )

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if round(old_value) == round(new_value):
            return
        # The end that is laid out: more may have come, and a larger view moves by itself to there.
        self.follows = new_value >= self.virtual_size.height - self.size.height
        self._move_bar(round(new_value))
        self.paint()

    # -- what a person does

    def action_scroll_home(self) -> None:
        self.follows = False
        self._move_to(0)
        self.paint()

    def action_scroll_end(self) -> None:
        self.follows = True
        self.paint()

    def action_page_up(self) -> None:
        self.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        self.scroll_page_down(animate=False)

    def action_toggle_fold(self) -> None:
        """Fold or unfold the last block in the window that has more to show."""
        top = self.scroll_offset.y
        if self._window.toggle_last(top, top + self.size.height - 1):
            self._toggled()

    def on_click(self, event: events.Click) -> None:
        index, _ = self._window.place(self.scroll_offset.y + event.y)
        if self.is_attached and not self.screen.selections and self._window.toggle(index):
            self._toggled()

    def _toggled(self) -> None:
        self.follows = False
        self._frame = None
        self.paint()

    async def find(self, needle: str, *, backward: bool = True) -> bool:
        """Show the next row with that text; return False if there is none.

        It gives the loop back every few milliseconds, and may be cancelled.
        """
        search, window = self._search, self._window
        search.begin(needle, style_of(self, "match"))
        self.refresh()
        start = search.start(window, self.scroll_offset.y, self.size.height, backward=backward)
        found = await window.find(search.needle, start, -1 if backward else 1)
        if found is None or not self.is_attached:
            return False
        self.follows = False
        self._move_to(search.arrive(window, found, self.scroll_offset.y, self.size.height))
        self.paint()
        self.refresh()
        return True

    def end_search(self) -> None:
        """Mark no matches any more."""
        self._search.end()
        self.refresh()

    # -- selection

    @property
    def allow_select(self) -> bool:
        return True

    def selection_updated(self, _selection: Selection | None) -> None:
        self.refresh()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        if not self._window.blocks:
            return None
        return self._window.text_of(selection), "\n"
