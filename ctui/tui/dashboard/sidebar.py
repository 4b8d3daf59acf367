"""The list of worktrees, grouped by what they need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ctui.tui.board.board import Group, Item
from ctui.tui.board.item_content import fold_line, group_heading, item_line, name_width
from ctui.tui.dashboard.follow import Follow
from ctui.tui.support.bounded_list import BoundedList

_LEAST_ROOM = 20
_FOLDED = (Group.MERGED, Group.CLEAN)
_MOST_UNFOLDED = 8
"""So many merged and clean worktrees are shown at most before somebody wants to see them."""

_FOLD = "fold"
"""Key of the row that shows and hides them; no path is like it."""


class Sidebar(BoundedList):
    """List whose highlight stays on the same worktree however the list changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "fold(False)", "show merged and clean ones", show=False),
        Binding("left", "fold(True)", "hide merged and clean ones", show=False),
    ]

    clock: Callable[[], int] = staticmethod(time.time_ns)

    class Chosen(Message):
        """Message that another worktree is highlighted, or (with `opened`) was opened."""

        def __init__(self, item: Item, *, opened: bool) -> None:
            super().__init__()
            self.item = item
            self.opened = opened

    def __init__(self, last: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Prepare an empty list.

        Args:
            last: path of the worktree that was shown last.
            id: of this widget.
        """
        super().__init__(id=id, compact=True)
        self._items: dict[str, Item] = {}
        self._shown: list[tuple[str | None, Content]] = []
        self._follow = Follow(last)
        self._unfolded = False

    def show(self, items: Iterable[Item]) -> None:
        """Show these, in this order."""
        self._items = {item.path: item for item in items}
        here = self._highlighted_key
        self._put(self._rows())
        if (led := self._follow.led(list(self._items.values()), here)) is not None:
            self._go(led)

    def show_ages(self) -> None:
        """Bring the ages of all rows up to date."""
        self._put(self._rows())

    def follow(self) -> None:
        """Show the most urgent worktree again, until a key is pressed here."""
        self._follow.begin()

    # -- its rows

    def _rows(self) -> list[tuple[str | None, Content]]:
        items = list(self._items.values())
        width, now = self._room, self.clock()
        names = name_width(items, width)
        counts = {group: sum(item.group is group for item in items) for group in _FOLDED}
        folds = sum(counts.values()) > _MOST_UNFOLDED
        hidden = folds and not self._unfolded
        lines: list[tuple[str | None, Content]] = []
        for group, members in groupby(items, key=lambda item: item.group):
            grouped = list(members)
            if group in _FOLDED and folds:
                if all(key != _FOLD for key, _ in lines):
                    lines.append((_FOLD, fold_line(counts, folded=hidden)))
                if hidden:
                    continue
            lines.append((None, group_heading(group, len(grouped))))
            lines += [(item.path, item_line(item, width, now, names)) for item in grouped]
        return lines

    def _put(self, lines: list[tuple[str | None, Content]]) -> None:
        if lines == self._shown:
            return
        if [key for key, _ in lines] == [key for key, _ in self._shown]:
            for index, (new, old) in enumerate(zip(lines, self._shown, strict=True)):
                if new[1] != old[1]:
                    self.replace_option_prompt_at_index(index, new[1])
            self._shown = lines
        else:
            self._rebuild(lines)

    @property
    def _room(self) -> int:
        """Return the cells of one row."""
        return max(_LEAST_ROOM, self.scrollable_content_region.width)

    def on_resize(self) -> None:
        self.show_ages()

    @property
    def seen_paths(self) -> list[str]:
        """Return the paths of the rows that can be seen, the chosen one first."""
        first = self.scroll_offset.y
        rows = self._shown[first : first + max(1, self.size.height)]
        chosen = self.chosen
        paths = [chosen.path] if chosen is not None else []
        return [*paths, *(key for key, _ in rows if key in self._items and key not in paths)]

    @property
    def chosen(self) -> Item | None:
        """Return the worktree under the highlight, if there is one."""
        if self.highlighted is None or self.highlighted >= len(self._shown):
            return None
        return self._items.get(self._shown[self.highlighted][0] or "")

    def choose(self, path: str) -> None:
        """Move the highlight to this worktree, if it is there: somebody wants to see it."""
        self._follow.end()
        self._go(path)

    def _go(self, path: str) -> None:
        item = self._items.get(path)
        if item is not None and item.group in _FOLDED and path not in self._keys:
            self._unfolded = True
            self.show_ages()
        self._highlight(path)

    @property
    def _keys(self) -> list[str | None]:
        return [key for key, _ in self._shown]

    def _highlight(self, path: str) -> None:
        if path in self._keys:
            self.highlighted = self._keys.index(path)

    def _rebuild(self, lines: list[tuple[str | None, Content]]) -> None:
        key, place = self._highlighted_key, self.highlighted or 0
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options(
                Option(content, id=f"w{index}", disabled=key is None)
                for index, (key, content) in enumerate(lines)
            )
            self._shown = lines
            if key in self._keys:
                self.highlighted = self._keys.index(key)
        if self.highlighted is None and self._items:
            near = [index for index, key in enumerate(self._keys) if key is not None]
            self.highlighted = min(near, key=lambda index: abs(index - place), default=None)

    @property
    def _highlighted_key(self) -> str | None:
        if self.highlighted is None or self.highlighted >= len(self._shown):
            return None
        return self._shown[self.highlighted][0]

    # -- what the person does

    def on_key(self) -> None:
        self._follow.end()

    def on_mouse_down(self) -> None:
        self._follow.end()

    def on_blur(self) -> None:
        if self.app.app_focus:  # else only the terminal was left
            self._follow.end()

    def action_fold(self, fold: bool) -> None:
        """Hide what is merged and clean, or show it, where there is much of it."""
        self._unfolded = not fold
        self.show_ages()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._tell(opened=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._highlighted_key == _FOLD:
            self.action_fold(self._unfolded)
        else:
            self._tell(opened=True)

    def _tell(self, *, opened: bool) -> None:
        if (item := self.chosen) is not None:
            self.post_message(self.Chosen(item, opened=opened))
