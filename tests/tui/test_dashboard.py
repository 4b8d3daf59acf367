"""The dashboard with its keys and the mouse, on a real driver that has nothing to run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Select

from ctui.client.connection import stop_driver
from ctui.client.worktrees.worktrees import make_worktree
from ctui.config import Config
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.activity import Activity
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store
from ctui.tui.app import CtuiApp
from ctui.tui.board.board import Group
from ctui.tui.dashboard.dashboard import Dashboard
from ctui.tui.dashboard.divider import Divider, list_width
from ctui.tui.dashboard.header import Header
from ctui.tui.dashboard.sidebar import Sidebar
from ctui.tui.dialogs.new_task import NewTaskForm
from ctui.tui.support.memory import recall
from ctui.tui.support.place import Place
from tests.conftest import git

NAMES = ("done", "failed", "other")


@pytest.fixture
async def home(repository: Path, paths: Paths) -> AsyncIterator[Paths]:
    """A home with three worktrees; the tasks of two of them have come to rest, one has failed."""
    for name, value in (("user.name", "Test"), ("user.email", "test@example.org")):
        git(repository, "config", name, value)
    found = open_repository(repository)
    records = {name: await make_worktree(paths, found, prefix="ctui/", name=name) for name in NAMES}
    rest = Activity(began=1, rested=time.time_ns())
    store = Store(paths.database)
    for name, problem in (("done", ""), ("failed", "API Error: 400")):
        store.tasks.add(
            Task(
                id=name,
                repository=str(repository / ".git"),
                worktree=records[name].path,
                metadata=records[name].metadata,
                branch=f"ctui/{name}",
                base=None,
                session="s",
                prompt="p",
                state=TaskState.IDLE,
                problem=problem,
                cause="other" if problem else "",
                result="It is done.",
                activity=rest,
            )
        )
    store.close()
    yield paths
    await stop_driver(paths)


@asynccontextmanager
async def dashboard(
    paths: Paths, repository: Path, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[CtuiApp, Pilot[None]]]:
    app = CtuiApp(paths, Config(), Place(repository / ".git"))
    async with app.run_test(size=size) as pilot:
        items = app.dashboard.board.items
        await until(lambda: {item.group for item in items()} >= {Group.NEEDS_YOU, Group.CLEAN})
        await until(lambda: not isinstance(app.screen, Dashboard))  # something is missing here
        await pilot.press("escape")
        await until(lambda: isinstance(app.screen, Dashboard))
        yield app, pilot


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - screens have no event for it
            await asyncio.sleep(0.02)


def shown(app: CtuiApp) -> str:
    pane = app.dashboard._switcher.shown
    return pane.task_record.id if pane is not None else ""


async def test_it_leads_to_what_failed_and_what_is_looked_at_is_read(
    home: Paths, repository: Path
) -> None:
    async with dashboard(home, repository) as (app, pilot):
        await until(lambda: shown(app) == "failed")
        rows = app.dashboard.board.items()
        assert [item.group for item in rows] == [Group.NEEDS_YOU, Group.NEW, Group.CLEAN]
        await pilot.press("down")
        await until(lambda: shown(app) == "done")
        await until(lambda: not app.dashboard.board.tasks["done"].unread)
        await until(lambda: app.dashboard.query_one(Header).title.endswith("1 failed"))
    store = Store(home.database)
    assert not store.tasks.get("done").unread
    store.close()
    assert recall(home).shown == {str(repository / ".git"): rows[1].path}


async def test_a_new_task_gets_a_worktree_unless_a_row_is_asked_for(
    home: Paths, repository: Path
) -> None:
    async with dashboard(home, repository) as (app, pilot):
        sidebar = app.dashboard.query_one(Sidebar)
        sidebar.choose(next(item.path for item in app.dashboard.board.items() if not item.task))
        for key, place in (("n", "new"), ("N", sidebar.chosen.path if sidebar.chosen else "")):
            await pilot.press(key)
            await until(lambda: isinstance(app.screen, NewTaskForm))
            assert app.screen.query_one("#place", Select).value == place
            await pilot.press("escape")
            await until(lambda: isinstance(app.screen, Dashboard))


async def test_the_divider_is_moved_by_keys_and_the_mouse_and_stays_there(
    home: Paths, repository: Path
) -> None:
    async with dashboard(home, repository) as (app, pilot):
        sidebar = app.dashboard.query_one(Sidebar)
        before = sidebar.outer_size.width
        await pilot.press(">")
        await until(lambda: sidebar.outer_size.width == before + 4)
        await pilot.mouse_down(Divider, offset=(0, 3))
        await pilot.hover(app.dashboard, offset=(before + 2, 5))
        await until(lambda: sidebar.outer_size.width == before + 2)
        await pilot.mouse_up(app.dashboard, offset=(before + 1, 5))
        await until(lambda: recall(home).dividers == {"120": before + 1})
        await pilot.resize_terminal(80, 24)
        await until(lambda: sidebar.outer_size.width == list_width(80, None))
    async with dashboard(home, repository) as (app, _):
        assert app.dashboard.query_one(Sidebar).outer_size.width == before + 1


@pytest.mark.parametrize(
    ("terminal", "wanted", "width"),
    [(80, None, 28), (120, None, 42), (220, None, 64), (80, 70, 40), (80, 3, 27), (50, None, 27)],
)
def test_the_list_takes_a_third_and_leaves_the_pane_its_room(
    terminal: int, wanted: int | None, width: int
) -> None:
    assert list_width(terminal, wanted) == width


async def test_a_count_of_the_header_leads_to_its_row(home: Paths, repository: Path) -> None:
    async with dashboard(home, repository) as (app, pilot):
        header = app.dashboard.query_one(Header)
        await until(lambda: "1 new" in header.title)
        await pilot.click(Header, offset=(str(header.content).index("1 new") + 2, 0))
        await until(lambda: shown(app) == "done")
        assert app.dashboard.query_one(Sidebar).has_focus


async def test_escape_goes_back_step_by_step(home: Paths, repository: Path) -> None:
    async with dashboard(home, repository) as (app, pilot):
        await until(lambda: shown(app) == "failed")
        await pilot.press("f", "n", "o")
        pane = app.dashboard._switcher.shown
        assert pane is not None
        assert (pane.composer.has_focus, pane.composer.text) == (True, "no")
        await pilot.press("escape")
        assert app.dashboard.query_one(Sidebar).has_focus
        await pilot.press("z")
        assert app.dashboard.has_class("-zoomed")
        await pilot.press("escape", "escape")
        assert not app.dashboard.has_class("-zoomed")
        assert pane.composer.text == "no"
