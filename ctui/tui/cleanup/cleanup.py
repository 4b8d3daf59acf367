"""The cleanup screen: what can go, what would be lost, and everything back at a key."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ctui.tui.board.board import Board
from ctui.tui.cleanup.cleanup_actions import CleanupActions
from ctui.tui.cleanup.cleanup_content import heading, row_line, summary
from ctui.tui.cleanup.cleanup_list import CleanupList, Row
from ctui.tui.dialogs.confirm import Confirm
from ctui.tui.support.bounded_list import BoundedList
from ctui.tui.support.key_bar import KeyBar

_REFRESH_SECONDS = 0.25
_AGE_SECONDS = 60.0
"""Seconds after which ages are written anew."""


class Cleanup(Screen[None]):
    """Screen that marks rows, and does what is marked. It stays open, so that `u` is at hand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", id="cleanup.mark"),
        Binding("A", "mark_safe", "all merged, then all clean", id="cleanup.mark-safe"),
        Binding("enter", "remove", "remove", id="cleanup.remove", priority=True),
        Binding("u", "undo", "undo", id="cleanup.undo"),
        Binding("d", "details", "details", id="cleanup.details"),
        Binding("t", "trash", "trash", id="cleanup.trash"),
        Binding("escape,q", "leave", "back", key_display="esc"),
    ]

    def __init__(self, board: Board, actions: CleanupActions, *, delete_branches: bool) -> None:
        """Prepare a screen on which nothing is marked.

        Args:
            board: which worktrees there are; it changes while the screen is open.
            actions: carry out what is decided.
            delete_branches: whether removing a worktree removes its branch.
        """
        super().__init__()
        self._board = board
        self._actions = actions
        self._delete_branches = delete_branches
        self._list = CleanupList()
        self._shown: list[tuple[str | None, Content]] = []
        self._in_full = False
        self._seen: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static(classes="cleanup--title")
        yield BoundedList(compact=True, classes="cleanup--list")
        with VerticalScroll(can_focus=False, classes="cleanup--summary"):
            yield Static(classes="cleanup--facts")
        yield KeyBar(self.BINDINGS, {})

    def on_mount(self) -> None:
        self._show()
        rows = self.query_one(OptionList)
        rows.action_first()
        rows.focus()
        self.set_interval(_REFRESH_SECONDS, self._follow)
        self._actions.measure([row.path for row in self._list.rows], self._take_size)

    # -- what is shown

    def _follow(self) -> None:
        """Show what is new; a home may have a thousand tasks, so nothing is done while none is."""
        if self._state() != self._seen:
            self._show()

    def _state(self) -> tuple[object, ...]:
        """Return all that the screen shows and does not change by itself."""
        minute = time.monotonic() // _AGE_SECONDS
        gone, words = frozenset(self._actions.leaving), tuple(self._actions.last_words)
        return self._board.version, gone, words, self.size, minute

    def _show(self) -> None:
        self._seen = self._state()
        gone = self._actions.leaving
        self._list.show(item for item in self._board.items() if item.path not in gone)
        self._redraw()

    def _redraw(self) -> None:
        width = self.query_one(OptionList).scrollable_content_region.width
        now = time.time_ns()
        lines: list[tuple[str | None, Content]] = []
        kind = None
        for row in self._list.rows:
            if row.kind != kind:
                kind = row.kind
                count = sum(other.kind is kind for other in self._list.rows)
                lines.append((None, heading(kind, count)))
            marked, size = row.path in self._list.marked, self._list.sizes.get(row.path)
            lines.append((row.path, row_line(row, width, now, marked=marked, size=size)))
        if lines != self._shown:
            self._put(lines)
        done = self._actions.last_words
        facts = summary(self._list, self._delete_branches, done, in_full=self._in_full)
        self.query_one(".cleanup--facts", Static).update(facts)
        count = len(self._list.rows)
        several = "" if count == 1 else "s"
        title = f"Cleanup  {count} worktree{several}" if lines else "Nothing to clean up"
        self.query_one(".cleanup--title", Static).update(Content.styled(title, "bold"))

    def _put(self, lines: list[tuple[str | None, Content]]) -> None:
        rows = self.query_one(OptionList)
        chosen, place = self._chosen, rows.highlighted
        if [key for key, _ in lines] == [key for key, _ in self._shown]:
            for index, (new, old) in enumerate(zip(lines, self._shown, strict=True)):
                if new[1] != old[1]:
                    rows.replace_option_prompt_at_index(index, new[1])
            self._shown = lines
            return
        self._shown = lines
        rows.set_options(Option(content, disabled=key is None) for key, content in lines)
        keys = [key for key, _ in lines]
        if chosen is not None and chosen.path in keys:
            rows.highlighted = keys.index(chosen.path)
        elif place is not None:
            near = [index for index, key in enumerate(keys) if key is not None]
            rows.highlighted = min(near, key=lambda index: abs(index - place), default=None)

    def _take_size(self, path: str, size: int) -> None:
        self._list.sizes[path] = size
        if self.is_attached:
            self._redraw()

    @property
    def _chosen(self) -> Row | None:
        """Return the row under the highlight, if there is one."""
        place = self.query_one(OptionList).highlighted
        if place is None or place >= len(self._shown):
            return None
        path = self._shown[place][0]
        return next((row for row in self._list.rows if row.path == path), None)

    # -- what the person does

    def action_mark(self) -> None:
        if (row := self._chosen) is None:
            return
        if why := self._list.toggle(row.path):
            self.notify(f"{row.name}: {why}", severity="warning", markup=False)
        self._redraw()
        self.query_one(OptionList).action_cursor_down()

    def action_mark_safe(self) -> None:
        had_marks = bool(self._list.marked)
        if not self._list.mark_safe() and not had_marks:
            self.notify("nothing merged can go: A again marks what is clean", markup=False)
        self._redraw()

    def action_details(self) -> None:
        """Show the whole page of what follows, or its beginning only."""
        self._in_full = not self._in_full
        self.set_class(self._in_full, "-in-full")
        self._redraw()

    def action_remove(self) -> None:
        chosen = self._list.chosen
        if not chosen:
            self.notify("mark something first: space, or A for all that is merged", markup=False)
            return
        if not self._list.unclean:
            self._remove(chosen)
            return
        losses = self._list.consequences(delete_branches=self._delete_branches).losses
        count = len(self._list.unclean)
        question = f"Remove {count} unclean worktree{'' if count == 1 else 's'} too?"
        facts = ["Only these have:", *losses, "They can be restored until the trash is purged."]
        self.app.push_screen(
            Confirm(question, facts, yes="remove, with all that is unclean"),
            lambda yes: self._remove(chosen) if yes else None,
        )

    def _remove(self, rows: Iterable[Row]) -> None:
        self._actions.remove([row.status for row in rows], delete_branches=self._delete_branches)
        self._list.marked.clear()
        self._show()

    def action_undo(self) -> None:
        self._actions.undo()

    def action_trash(self) -> None:
        from ctui.tui.cleanup.trash_screen import TrashScreen

        self.app.push_screen(TrashScreen(self._actions))

    def action_leave(self) -> None:
        """Close what is open here; else the screen."""
        if self._in_full:
            self.action_details()
        else:
            self.dismiss()
