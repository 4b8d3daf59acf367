"""Panes that are shown one after the other, faster than they can be made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.await_remove import AwaitRemove

from ctui.claude.transcript.transcript import Transcript
from ctui.client.client import Client
from ctui.client.connection import connect, stop_driver
from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tasks.store import Store
from ctui.tui.board.board import Group, Item
from ctui.tui.dashboard.pane_switcher import PaneSwitcher
from ctui.tui.pane.pane import Pane
from ctui.tui.support.frame_clock import FrameClock
from tests.tui.test_board import task


class Panes(App[None]):
    """Nothing but panes."""

    def __init__(self, paths: Paths) -> None:
        super().__init__()
        self._paths = paths

    def compose(self) -> ComposeResult:
        yield PaneSwitcher(self._pane)

    def _pane(self, shown: Task, widget_id: str) -> Pane:
        return Pane(Client(self._paths), FrameClock(self), shown, id=widget_id)


@asynccontextmanager
async def panes(paths: Paths) -> AsyncIterator[tuple[Panes, PaneSwitcher]]:
    paths.state.mkdir(parents=True)
    Store(paths.database).close()
    (await connect(paths)).close()
    app = Panes(paths)
    try:
        async with app.run_test():
            yield app, app.query_one(PaneSwitcher)
    finally:
        await stop_driver(paths)


async def test_the_one_that_was_wanted_last_is_shown(paths: Paths) -> None:
    """The list leads to one task while the person chooses another, and a third one is removed."""
    async with panes(paths) as (app, switcher):
        await switcher.show_task(task("tab"), [], keep=True)
        await asyncio.gather(
            switcher.show_task(task("a"), [], keep=False),
            switcher.show_task(task("tab"), [], keep=False),
            switcher.show_task(task("b"), [], keep=False),
            switcher.show_task(task("a"), [], keep=False),
            switcher.forget("b"),
            switcher.show_task(task("tab"), [], keep=False),
        )
        assert switcher.shown is switcher.pane_of("tab")
        assert [len(app.query(Pane)), switcher.pane_of("a")] == [1, None]
        free = Item("/w/free", "free", Group.CLEAN, None, 0, None)
        await asyncio.gather(
            switcher.show_task(task("a"), [], keep=False),
            switcher.show_item(free, [], keep=False),
        )
        assert switcher.shows_card


async def test_one_that_goes_takes_no_more_news(paths: Paths) -> None:
    """Its widgets go one by one, and what it follows may say something in between."""
    async with panes(paths) as (_, switcher):
        await switcher.show_task(task("a"), [], keep=False)
        pane = switcher.shown
        assert pane is not None
        going = pane.remove()
        closed = asyncio.ensure_future(_completed(going))
        while not closed.done():
            pane.show(task("a"), [])
            pane._replaced(Transcript())
            await asyncio.sleep(0)


async def _completed(removal: AwaitRemove) -> None:
    await removal
