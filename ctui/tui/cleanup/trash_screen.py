"""The trash: what can be restored, and what goes for good."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ctui.tui.cleanup.cleanup_actions import CleanupActions
from ctui.tui.cleanup.cleanup_content import trash_line
from ctui.tui.dialogs.confirm import Confirm
from ctui.tui.support.bounded_list import BoundedList
from ctui.tui.support.key_bar import KeyBar
from ctui.worktrees.trash.entries import TrashEntry


class TrashScreen(Screen[None]):
    """Screen with the trash, the newest entry first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", id="trash.mark"),
        Binding("enter", "restore", "restore", id="trash.restore", priority=True),
        Binding("P", "purge", "delete for good", id="trash.purge"),
        Binding("escape,q", "leave", "back", key_display="esc"),
    ]

    def __init__(self, actions: CleanupActions) -> None:
        super().__init__()
        self._actions = actions
        self._entries: list[TrashEntry] = []
        self._marked: set[str] = set()

    def compose(self) -> ComposeResult:
        yield Static(classes="cleanup--title")
        yield BoundedList(compact=True, classes="cleanup--list")
        yield KeyBar(self.BINDINGS, {})

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._reload()

    def _reload(self) -> None:
        self._actions.list_trash(self._take)

    def _take(self, entries: Sequence[TrashEntry]) -> None:
        self._entries = sorted(entries, key=lambda entry: entry.removed, reverse=True)
        self._marked &= {entry.id for entry in entries}
        if self.is_attached:
            self._show()

    def _show(self) -> None:
        rows = self.query_one(OptionList)
        place = rows.highlighted or 0
        width, now = rows.scrollable_content_region.width, time.time_ns()
        rows.set_options(
            Option(trash_line(entry, width, now, marked=entry.id in self._marked))
            for entry in self._entries
        )
        if self._entries:
            rows.highlighted = min(place, len(self._entries) - 1)
        count = len(self._entries)
        title = f"Trash  {count}" if count else "The trash is empty"
        self.query_one(".cleanup--title", Static).update(Content.styled(title, "bold"))

    @property
    def _chosen(self) -> list[TrashEntry]:
        """Return the marked entries, else the one that is highlighted."""
        if self._marked:
            return [entry for entry in self._entries if entry.id in self._marked]
        place = self.query_one(OptionList).highlighted
        return self._entries[place : place + 1] if place is not None else []

    def action_mark(self) -> None:
        place = self.query_one(OptionList).highlighted
        if place is not None and place < len(self._entries):
            self._marked ^= {self._entries[place].id}
            self._show()
            self.query_one(OptionList).action_cursor_down()

    def action_restore(self) -> None:
        if chosen := self._chosen:
            self._actions.restore(chosen, self._reload)

    def action_purge(self) -> None:
        chosen = self._chosen
        if not chosen:
            return
        count = len(chosen)
        question = f"Delete {count} worktree{'' if count == 1 else 's'} for good?"
        facts = ["Their files, and commits that no branch has, cannot be restored any more."]
        self.app.push_screen(
            Confirm(question, facts, yes="delete for good"),
            lambda yes: self._actions.purge(chosen, self._reload) if yes else None,
        )

    def action_leave(self) -> None:
        self.dismiss()
