"""Pictures of the dashboard on the demo's repository, for `docs/`: `make gallery`.

python -m tests.tui.gallery FOLDER
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from ctui.config import load_config
from ctui.demo.repository import make_demo_repository
from ctui.demo.screen import start_demo_tasks
from ctui.demo.world import World, demo_world
from ctui.tasks.model import AskKind
from ctui.tui.app import CtuiApp
from ctui.tui.asks.key_guard import GUARD_SECONDS
from ctui.tui.board.board import Board
from ctui.tui.dashboard.sidebar import Sidebar
from ctui.tui.support.place import Place

_PATIENCE = 400
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Gallery:
    """One walk through the dashboard, with a picture at every turn."""

    def __init__(self, app: CtuiApp, pilot: Pilot[None], folder: Path) -> None:
        self._app = app
        self._pilot = pilot
        self._folder = folder

    async def walk(self) -> None:
        """Take all pictures."""
        await self._until(lambda board: len(board.asks) == 2 and _looked_at(board))
        await self._take("dashboard")
        tasks = self._app.dashboard.board.tasks
        self._app.dashboard.query_one(Sidebar).choose(tasks["ring-the-bell"].worktree)
        await self._press("tab")
        await self._pilot.pause(GUARD_SECONDS)
        await self._press("y")
        await self._until(lambda board: any("Write" in ask.title for ask in board.asks.values()))
        await self._take("permission")
        await self._pilot.pause(GUARD_SECONDS)
        await self._press("y")
        await self._until(
            lambda board: AskKind.QUESTION in {ask.kind for ask in board.asks.values()}
        )
        await self._take("question")
        await self._press("escape")
        for key, name in (("i", "inbox"), ("n", "new-task"), ("c", "cleanup")):
            self._app.screen.set_focus(None)
            await self._press(key)
            await self._take(name)
            await self._press("escape")
        self._app.theme = "ctui-light"
        await self._take("light")

    async def _press(self, *keys: str) -> None:
        await self._pilot.press(*keys)
        await self._pilot.pause(0.3)

    async def _until(self, seen: Callable[[Board], bool]) -> None:
        board = self._app.dashboard.board
        for _ in range(_PATIENCE):
            if seen(board):
                return
            await self._pilot.pause(0.1)
        raise TimeoutError("a picture's moment did not come")

    async def _take(self, name: str) -> None:
        await self._pilot.pause(0.6)
        # A picture must not fetch its font from somewhere.
        picture = _FONT.sub("", self._app.export_screenshot(title="ctui"))
        (self._folder / f"{name}.svg").write_text(picture, encoding="utf-8")


def _looked_at(board: Board) -> bool:
    return all(item.status is not None for item in board.items())


async def _make(world: World, folder: Path) -> None:
    repository = await asyncio.to_thread(make_demo_repository, world.folder / "repository")
    await start_demo_tasks(world, repository)
    config = load_config(world.paths)
    app = CtuiApp(world.paths, config, Place(repository / ".git"), scripted=True)
    async with app.run_test(size=(110, 34)) as pilot:
        await Gallery(app, pilot, folder).walk()


async def _main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    async with demo_world() as world:
        os.environ.update(world.environ)
        await _make(world, folder)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
