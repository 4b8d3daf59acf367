"""Where no repository is: what the screen offers, and what it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from ctui.config import Config
from ctui.paths import Paths
from ctui.tui.dialogs.start import StartApp
from ctui.tui.support.key_bar import KeyBar
from ctui.tui.support.memory import recall, remember_repository, remember_theme
from ctui.tui.support.place import Place, find_place
from tests.conftest import git
from tests.tui.clock import CLOCK

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "kept.txt").write_text("x\n")
    (project / ".gitignore").write_text("*.log\n")
    (project / "ignored.log").write_text("x\n")
    return project


async def begin(app: StartApp, pilot: Pilot[Any]) -> str:
    """Make it; the question that was asked before."""
    await pilot.press("i")
    await app.workers.wait_for_complete()
    asked = str(app.screen.query_one(".dialog--title", Static).content)
    CLOCK.pass_the_guard()
    await pilot.press("y")
    await app.workers.wait_for_complete()
    return asked


def unborn(folder: Path) -> bool:
    place = find_place(folder)
    assert place is not None
    return place.unborn


async def test_a_folder_becomes_a_repository_at_a_key(paths: Paths, folder: Path) -> None:
    app = StartApp(paths, Config(), folder)
    async with app.run_test() as pilot:
        assert "make a repository here" in str(app.query_one(KeyBar).content)
        assert str(folder) in await begin(app, pilot)
    assert app.return_value == Place(folder / ".git")
    assert git(folder, "ls-files").split() == [".gitignore", "kept.txt"]
    assert git(folder, "status", "--porcelain") == ""


async def test_a_repository_without_commits_gets_its_first(paths: Paths, folder: Path) -> None:
    git(folder, "init", "-q", "-b", "trunk")
    assert unborn(folder)
    app = StartApp(paths, Config(), folder)
    async with app.run_test() as pilot:
        assert "has no commits yet" in str(app.query_one(".start--title", Static).content)
        assert "make the first commit" in str(app.query_one(KeyBar).content)
        await begin(app, pilot)
    assert not unborn(folder)
    assert git(folder, "log", "--format=%D").strip() == "HEAD -> trunk"


async def test_what_was_open_before_is_offered(paths: Paths, folder: Path, tmp_path: Path) -> None:
    git(folder, "init", "-q")
    remember_repository(paths, folder)
    remember_repository(paths, tmp_path / "gone")
    remember_theme(paths, "ctui-light")
    app = StartApp(paths, Config(), tmp_path)
    async with app.run_test() as pilot:
        assert app.query_one(OptionList).option_count == 1
        await pilot.press("enter")
    assert app.return_value == Place(folder / ".git")
    assert recall(paths).theme == "ctui-light"


async def test_the_folder_that_is_asked_about_is_the_one_that_is_committed(
    paths: Paths, folder: Path
) -> None:
    git(folder, "init", "-q")
    inner = folder / "inner"
    inner.mkdir()
    app = StartApp(paths, Config(), inner)
    async with app.run_test(size=(200, 24)) as pilot:
        assert f"in {folder}?" in await begin(app, pilot)
    assert app.return_value == Place(folder / ".git")


async def test_what_cannot_begin_is_said_and_nothing_is_asked(paths: Paths, folder: Path) -> None:
    git(folder, "init", "-q", "--separate-git-dir", str(folder.parent / "elsewhere.git"))
    app = StartApp(paths, Config(), folder)
    async with app.run_test(size=(200, 24)) as pilot:
        await pilot.press("i")
        await app.workers.wait_for_complete()
        assert "leads elsewhere" in str(app.query_one(".start--problem", Static).content)


async def test_only_what_is_listed_is_opened(paths: Paths, folder: Path, tmp_path: Path) -> None:
    git(folder, "init", "-q")
    for name in ("lost", "listed"):
        git(folder, "init", "-q", name)
        remember_repository(paths, folder / name)
    (folder / "lost" / ".git").rename(tmp_path / "lost")
    app = StartApp(paths, Config(), tmp_path)
    async with app.run_test() as pilot:
        assert app.query_one(OptionList).option_count == 1
        (folder / "listed" / ".git").rename(tmp_path / "listed")
        await pilot.press("enter")
        assert "no repository any more" in str(app.query_one(".start--problem", Static).content)


async def test_remembered_nonsense_is_not_listed(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in ("x" * 5000, "nul\0", "loop"):
        remember_repository(paths, tmp_path / name)
    app = StartApp(paths, Config(), tmp_path)
    async with app.run_test():
        assert not app.query_one(OptionList).display


@pytest.mark.parametrize("packed", [False, True])
def test_a_branch_with_a_commit_is_seen_from_the_files(folder: Path, packed: bool) -> None:
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "One")
    if packed:
        git(folder, "pack-refs", "--all")
    assert not unborn(folder)
