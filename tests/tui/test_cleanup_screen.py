"""The cleanup screen on a real repository: ten go in three keys, and come back in one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tui.board.board import Board, Item
from ctui.tui.cleanup.cleanup import Cleanup
from ctui.tui.cleanup.cleanup_actions import CleanupActions
from ctui.tui.cleanup.trash_screen import TrashScreen
from ctui.tui.support.worker_loop import WorkerLoop
from ctui.worktrees.create import create_worktree
from tests.conftest import git
from tests.tui.clock import CLOCK
from tests.worktrees.looking import survey_of

_PATIENCE = 60


class OneScreen(App[None]):
    """The screen, on a board that is looked at anew whenever something came or went."""

    CSS_PATH = str(Path(__file__).parents[2] / "ctui/tui/ctui.tcss")

    def __init__(self, paths: Paths, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._worker_loop = WorkerLoop()
        self.board = Board(str(folder / ".git"))
        self.actions = CleanupActions(self, self._worker_loop, paths, folder / ".git", self._went)

    async def look(self) -> None:
        survey = survey_of(open_repository(self._folder))
        self.board.take_statuses(await survey.listed())

    def _went(self, paths: object) -> None:
        assert isinstance(paths, list)
        self.board.drop(paths)
        self.run_worker(self.look())

    async def on_mount(self) -> None:
        await self.look()
        self.push_screen(Cleanup(self.board, self.actions, delete_branches=False))

    async def on_unmount(self) -> None:
        await self._worker_loop.close()

    @property
    def words(self) -> str:
        return str(self.screen.query_one(".cleanup--facts", Static).content)

    @property
    def title_words(self) -> str:
        return str(self.screen.query_one(".cleanup--title", Static).content)


async def until(pilot: Pilot[None], seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not seen():
            await pilot.pause(0.05)


async def made(repository: Path, tmp_path: Path, count: int) -> list[Path]:
    found = open_repository(repository)
    paths: list[Path] = []
    for number in range(count):
        record = await create_worktree(found, tmp_path / "w", name=f"tree-{number}")
        paths.append(path := Path(record.path))
        (path / f"new-{number}").write_text("x\n")
        git(path, "add", ".")
        git(path, "commit", "-q", "-m", f"Add {number}")
        git(repository, "merge", "-q", "--no-edit", f"ctui/tree-{number}")
    return paths


async def test_ten_merged_ones_go_in_three_keys_and_come_back_in_one(
    paths: Paths, repository: Path, tmp_path: Path
) -> None:
    folders = await made(repository, tmp_path, 10)
    app = OneScreen(paths, repository)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("A")
        assert "10 worktrees go to the trash (10 merged" in app.words
        assert "Nothing is lost" in app.words
        await pilot.press("enter")
        await until(pilot, lambda: "Removed: " in app.words)
        assert not any(folder.exists() for folder in folders)
        await pilot.press("u")
        await until(pilot, lambda: "Restored: " in app.words)
        assert all((folder / "hello.txt").is_file() for folder in folders)
        assert git(repository, "worktree", "list").count("\n") == 10


async def test_it_looks_at_the_tasks_only_when_something_came_in(
    paths: Paths, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home may have a thousand of them."""
    folder, _ = await made(repository, tmp_path, 2)
    looks = 0
    items = Board.items

    def counted(board: Board) -> list[Item]:
        nonlocal looks
        looks += 1
        return items(board)

    monkeypatch.setattr(Board, "items", counted)
    app = OneScreen(paths, repository)
    async with app.run_test(size=(80, 24)) as pilot:
        before = -1
        async with asyncio.timeout(_PATIENCE):
            while looks != before:  # a busy machine mounts the screen late
                before = looks
                await pilot.pause(1.5)
        assert before > 0
        git(repository, "worktree", "remove", "--force", str(folder))
        await app.look()
        await until(pilot, lambda: "1 worktree" in app.title_words)
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: looks > before + 1)


async def test_an_unclean_one_needs_a_yes_of_its_own(
    paths: Paths, repository: Path, tmp_path: Path
) -> None:
    (folder,) = await made(repository, tmp_path, 1)
    (folder / "unsaved").write_text("x\n")
    app = OneScreen(paths, repository)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("space", "enter")
        said = str(app.screen.query_one(".dialog--text", Static).content)
        assert "tree-0: 1 changed file" in said
        assert folder.exists()
        CLOCK.pass_the_guard()
        await pilot.press("y")
        await until(pilot, lambda: not folder.exists())
        await until(pilot, lambda: "Removed: tree-0" in app.words)
        await pilot.press("t")
        await until(pilot, lambda: "Trash  1" in _title(app))
        await pilot.press("enter")
        await until(pilot, lambda: "The trash is empty" in _title(app))
        assert (folder / "unsaved").read_text() == "x\n"


async def test_what_changed_under_the_fingers_stays(
    paths: Paths, repository: Path, tmp_path: Path
) -> None:
    (folder,) = await made(repository, tmp_path, 1)
    app = OneScreen(paths, repository)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("A")
        (folder / "late").write_text("x\n")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app._notifications))
        assert "changed meanwhile" in next(iter(app._notifications)).message
        assert (folder / "late").exists()


def _title(app: OneScreen) -> str:
    if not isinstance(app.screen, TrashScreen):
        return ""
    return str(app.screen.query_one(".cleanup--title", Static).content)


async def test_escape_closes_the_details_first(
    paths: Paths, repository: Path, tmp_path: Path
) -> None:
    await made(repository, tmp_path, 1)
    app = OneScreen(paths, repository)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Cleanup))
        screen = app.screen
        await pilot.press("d")
        assert screen.has_class("-in-full")
        await pilot.press("escape")
        assert app.screen is screen
        assert not screen.has_class("-in-full")
        await pilot.press("escape")
        assert app.screen is not screen


async def test_the_end_of_the_list_is_its_end(
    paths: Paths, repository: Path, tmp_path: Path
) -> None:
    await made(repository, tmp_path, 2)
    app = OneScreen(paths, repository)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, Cleanup))
        rows = app.screen.query_one(OptionList)
        await pilot.press(*["up"] * 5)
        first = rows.highlighted
        await pilot.press(*["down"] * 5)
        last = rows.highlighted
        assert (first, last) == (1, 2)
