"""Where no repository is: what the screen offers, and what it remembers."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import OptionList, Static

from ctui.config import Config
from ctui.errors import Refused
from ctui.git.beginning import begin_repository
from ctui.paths import Paths
from ctui.tui.memory import recall, remember_repository, remember_theme
from ctui.tui.place import Place, find_place
from ctui.tui.start import StartApp
from tests.conftest import git
from tests.tui.clock import CLOCK


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "kept.txt").write_text("x\n")
    (project / ".gitignore").write_text("*.log\n")
    (project / "ignored.log").write_text("x\n")
    return project


def unborn(folder: Path) -> bool:
    place = find_place(folder)
    assert place is not None
    return place.unborn


async def test_a_folder_becomes_a_repository_at_a_key(paths: Paths, folder: Path) -> None:
    app = StartApp(paths, Config(), folder)
    async with app.run_test() as pilot:
        await pilot.press("i")
        CLOCK.pass_the_guard()
        await pilot.press("y")
        await pilot.app.workers.wait_for_complete()
    assert app.return_value == Place(folder / ".git")
    assert git(folder, "ls-files").split() == [".gitignore", "kept.txt"]
    assert git(folder, "status", "--porcelain") == ""


async def test_a_repository_without_commits_gets_its_first(paths: Paths, folder: Path) -> None:
    git(folder, "init", "-q", "-b", "trunk")
    assert unborn(folder)
    app = StartApp(paths, Config(), folder)
    async with app.run_test() as pilot:
        assert "has no commits yet" in str(app.query_one(".start--title", Static).content)
        await pilot.press("i")
        CLOCK.pass_the_guard()
        await pilot.press("y")
        await pilot.app.workers.wait_for_complete()
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


async def test_nothing_is_left_where_no_repository_can_begin(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    git(inner, "commit", "-q", "--allow-empty", "-m", "Inner")
    with pytest.raises(Refused, match="inner"):
        await begin_repository(folder)
    assert not (folder / ".git").exists()


async def test_a_home_folder_is_no_repository(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    with pytest.raises(Refused):
        await begin_repository(folder)
    assert not (folder / ".git").exists()


async def test_who_commits_must_be_known(folder: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    with pytest.raises(Refused, match="who commits"):
        await begin_repository(folder)
    assert not (folder / ".git").exists()


@pytest.mark.parametrize("packed", [False, True])
def test_a_branch_with_a_commit_is_seen_from_the_files(folder: Path, packed: bool) -> None:
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "One")
    if packed:
        git(folder, "pack-refs", "--all")
    assert not unborn(folder)
