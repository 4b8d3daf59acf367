"""The list of worktrees, grouped by what they need."""

from __future__ import annotations

from itertools import groupby

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ctui.tui.board.board import Item
from ctui.tui.board.item_content import group_heading, item_line
from ctui.tui.support.bounded_list import BoundedList

_LEAST_ROOM = 20


class Sidebar(BoundedList):
    """List whose highlight stays on the same worktree however the list changes."""

    class Chosen(Message):
        """Message that another worktree is highlighted, or (with `opened`) was opened."""

        def __init__(self, item: Item, *, opened: bool) -> None:
            super().__init__()
            self.item = item
            self.opened = opened

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, compact=True)
        self._items: dict[str, Item] = {}
        self._shown: list[tuple[str | None, Content]] = []
        self._moved = False

    def show(self, items: list[Item]) -> None:
        """Show these, in this order."""
        self._items = {item.path: item for item in items}
        lines: list[tuple[str | None, Content]] = []
        for group, members in groupby(items, key=lambda item: item.group):
            grouped = list(members)
            lines.append((None, group_heading(group, len(grouped))))
            lines += [(item.path, item_line(item, self._room)) for item in grouped]
        if lines == self._shown:
            return
        if [key for key, _ in lines] == [key for key, _ in self._shown]:
            for index, (new, old) in enumerate(zip(lines, self._shown, strict=True)):
                if new[1] != old[1]:
                    self.replace_option_prompt_at_index(index, new[1])
        else:
            self._rebuild(lines)
        self._shown = lines

    @property
    def _room(self) -> int:
        """Return the cells of one row."""
        return max(_LEAST_ROOM, self.scrollable_content_region.width)

    def on_resize(self) -> None:
        self.show(list(self._items.values()))

    @property
    def seen_paths(self) -> list[str]:
        """Return the paths of the rows that can be seen, the chosen one first."""
        first = self.scroll_offset.y
        rows = self._shown[first : first + max(1, self.size.height)]
        chosen = self.chosen
        paths = [chosen.path] if chosen is not None else []
        return [*paths, *(key for key, _ in rows if key and key not in paths)]

    @property
    def chosen(self) -> Item | None:
        """Return the worktree under the highlight, if there is one."""
        if self.highlighted is None or self.highlighted >= len(self._shown):
            return None
        return self._items.get(self._shown[self.highlighted][0] or "")

    def choose(self, path: str) -> None:
        """Move the highlight to this worktree, if it is there."""
        self._moved = True
        for index, (key, _) in enumerate(self._shown):
            if key == path:
                self.highlighted = index

    def _rebuild(self, lines: list[tuple[str | None, Content]]) -> None:
        before = self.chosen
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options(
                Option(content, id=f"w{index}", disabled=key is None)
                for index, (key, content) in enumerate(lines)
            )
            self._shown = lines
            keys = [key for key, _ in lines]
            keep = self._moved or not self.has_focus
            if keep and before is not None and before.path in keys:
                self.highlighted = keys.index(before.path)
        if self.highlighted is None and self._items:
            # Until the person chooses, the most urgent one is shown.
            self.action_first()

    def on_key(self) -> None:
        self._moved = True

    def on_mouse_down(self) -> None:
        self._moved = True

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._tell(opened=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._tell(opened=True)

    def _tell(self, *, opened: bool) -> None:
        if (item := self.chosen) is not None:
            self.post_message(self.Chosen(item, opened=opened))
