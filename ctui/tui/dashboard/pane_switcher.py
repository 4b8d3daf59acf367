"""The right side of the dashboard: the open panes, one of them shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from ctui.tasks.model import Ask, Task
from ctui.tui.board.board import Board, Item
from ctui.tui.board.item_content import worktree_card
from ctui.tui.board.task_content import tab_labels
from ctui.tui.dashboard.tabs import TaskTabs

if TYPE_CHECKING:
    from ctui.tui.pane.pane import Pane

_CARD = "card"


class PaneSwitcher(Vertical):
    """Panes: opened ones stay as tabs; one that is only looked at goes with the next one."""

    def __init__(self, make_pane: Callable[[Task, str], Pane], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Prepare a switcher without a pane.

        Args:
            make_pane: of a task, with a widget id; only then all that a pane needs is loaded.
            id: of this widget.
        """
        super().__init__(id=id)
        self._make_pane = make_pane
        self._panes: dict[str, Pane] = {}
        self._opened: list[str] = []
        self._drafts: dict[str, str] = {}
        self._count = 0
        self._turn = asyncio.Lock()
        """Held while panes come and go: one that is half made cannot be shown, nor closed."""

    def compose(self) -> ComposeResult:
        yield TaskTabs(id="tabs")
        with ContentSwitcher(initial=_CARD, id="panes"):
            yield Static(id=_CARD)

    @property
    def shown(self) -> Pane | None:
        """Return the pane that is seen, if one is."""
        current = self.query_one(ContentSwitcher).current
        return next((pane for pane in self._panes.values() if pane.id == current), None)

    @property
    def opened(self) -> list[str]:
        """Return the tabs' tasks, in order."""
        return list(self._opened)

    @property
    def shows_card(self) -> bool:
        """Return True if a worktree without a task is seen."""
        return self.query_one(ContentSwitcher).current == _CARD

    def say(self, text: Content) -> None:
        """Show a text instead of a worktree."""
        self.query_one(f"#{_CARD}", Static).update(text)
        self.query_one(ContentSwitcher).current = _CARD

    def pane_of(self, task: str) -> Pane | None:
        """Return a task's pane, if it is open."""
        return self._panes.get(task)

    async def show_item(self, item: Item, asks: list[Ask], *, keep: bool) -> None:
        """Show a worktree: its task, or what is known of it. With `keep` it becomes a tab."""
        if item.task is None:
            async with self._turn:
                self.say(worktree_card(item))
            return
        await self.show_task(item.task, asks, keep=keep)

    async def show_task(self, task: Task, asks: list[Ask], *, keep: bool) -> None:
        """Show a task's pane, a new one if need be."""
        async with self._turn:
            if keep and task.id not in self._opened:
                self._opened.append(task.id)
            switcher = self.query_one(ContentSwitcher)
            pane = self._panes.get(task.id)
            if pane is None:
                self._count += 1
                pane = self._make_pane(task, f"pane-{self._count}")
                self._panes[task.id] = pane
                await switcher.mount(pane)
                pane.show(task, asks)
                pane.composer.text = self._drafts.pop(task.id, "")
            switcher.current = pane.id
            await self._close_others(task.id)

    def update_all(self, board: Board) -> None:
        """Show all tasks and asks as they are now."""
        for name, pane in list(self._panes.items()):
            task = board.tasks.get(name)
            if task is not None:
                pane.show(task, board.asks_of(name))
        self._opened = [name for name in self._opened if name in board.tasks]
        shown = self.shown
        tasks = [board.tasks[name] for name in self._opened]
        active = next(
            (
                index
                for index, task in enumerate(tasks)
                if shown and task.id == shown.task_record.id
            ),
            -1,
        )
        asks = [len(board.asks_of(task.id)) for task in tasks]
        labels = tab_labels(tasks, asks, self.size.width)
        tabs = self.query_one(TaskTabs)
        tabs.display = bool(labels)
        tabs.show(labels, active)

    async def forget(self, task: str) -> None:
        """Remove the pane and the tab of a task that was removed."""
        async with self._turn:
            pane = self._panes.pop(task, None)
            if task in self._opened:
                self._opened.remove(task)
            if pane is not None:
                if pane is self.shown:
                    self.query_one(ContentSwitcher).current = _CARD
                await pane.remove()

    async def _close_others(self, shown: str) -> None:
        for name in [name for name in self._panes if name != shown and name not in self._opened]:
            pane = self._panes.pop(name)
            if text := pane.composer.text:
                self._drafts[name] = text
            await pane.remove()
