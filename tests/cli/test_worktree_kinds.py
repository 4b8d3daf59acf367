"""`ctui worktree` in repositories of kinds that are not a clone with a checkout."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from ctui.client.worktrees.worktrees import open_store
from ctui.paths import Paths
from ctui.tasks.model import Task, TaskState
from tests.cli.test_bad_input import ctui, refused
from tests.cli.test_worktree import listed, made, said
from tests.conftest import git


@pytest.fixture(autouse=True)
def person(home: Path) -> None:
    """Somebody whose worktrees belong to another uid if it is root."""
    with (home / ".gitconfig").open("a") as file:
        file.write("[safe]\n\tdirectory = *\n")


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    """The folder around a bare repository, with a worktree of main."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "clone", "-q", "--bare", str(repository), ".bare")
    (folder / ".git").write_text("gitdir: ./.bare\n")
    git(folder, "worktree", "add", "-q", "main", "main")
    return folder


def test_a_bare_layout(project: Path) -> None:
    """G7: create, list, diff, land, remove and restore, from the folder around it."""
    path = made(project, "fix", commits=1)
    assert path == project / "fix"
    assert listed(project)["fix"]["status"] == "unclean"
    assert listed(project)["main"]["status"] == "clean"
    assert "fix-0" in ctui(project, "worktree", "diff", "fix").stdout
    said(project, "worktree", "land", "fix")
    assert (project / "main" / "fix-0").exists()
    assert listed(project / "main")["fix"]["status"] == "merged"
    cleaned = said(project, "worktree", "clean")
    assert [item["name"] for item in cleaned["removed"]] == ["fix"]
    assert (
        "others are judged against"
        in said(project, "worktree", "remove", "main", code=1)["refused"][0]["reason"]
    )
    entry = cleaned["removed"][0]["trash_id"]
    assert said(project, "worktree", "restore", entry)["restored"][0]["path"] == str(path)
    assert set(listed(project)) == {"main", "fix"}


def test_no_checkout_of_its_own(project: Path) -> None:
    """G7: what needs one says so, and what to name instead."""
    line = refused(project, "run", "--workspace-dir", "hello")
    assert "bare" in line
    assert "--worktree" in line


def test_a_home_behind_a_link(repository: Path, tmp_path: Path) -> None:
    """G6: the same by the command line, from creation to restore."""
    (tmp_path / "var").mkdir()
    (tmp_path / "home-link").symlink_to("var")
    home = str(tmp_path / "home-link" / "ctui")
    path = Path(said(repository, "worktree", "create", "one", CTUI_HOME=home)["path"])
    [item] = said(repository, "worktree", "list", CTUI_HOME=home)["worktrees"]
    assert (item["problem"], item["status"]) == (None, "clean")
    removed = said(repository, "worktree", "remove", str(path), CTUI_HOME=home)["removed"]
    said(repository, "worktree", "restore", removed[0]["trash_id"], CTUI_HOME=home)
    [item] = said(repository, "worktree", "list", CTUI_HOME=home)["worktrees"]
    assert (item["problem"], item["path"]) == (None, str(path))


def test_a_worktree_that_was_moved_is_followed(repository: Path, tmp_path: Path) -> None:
    """G7: listed, landed, removed and restored where it is now."""
    old, new = made(repository, "work", commits=1), tmp_path / "a place"
    git(repository, "worktree", "move", str(old), str(new))
    item = listed(repository)["work"]
    assert (item["path"], item["problem"], item["base"]) == (
        str(new),
        None,
        git(repository, "rev-parse", "main"),
    )
    said(new, "worktree", "land", "work")
    assert (repository / "work-0").exists()
    (new / "late").write_text("late\n")
    removed = said(repository, "worktree", "remove", "work", "--force")["removed"]
    back = said(repository, "worktree", "restore", removed[0]["trash_id"])["restored"]
    assert (back[0]["path"], (new / "late").read_text()) == (str(new), "late\n")
    assert listed(repository)["work"]["problem"] is None
    assert not old.exists()


def test_a_worktree_that_was_moved_by_hand(repository: Path, tmp_path: Path) -> None:
    """G7: each command says the line that repairs it."""
    new = made(repository, "work", commits=1).rename(tmp_path / "a place")
    repair = f"git -C {repository} worktree repair ITS_NEW_PLACE"
    assert repair in listed(repository)["work"]["evidence"]
    assert repair in refused(repository, "worktree", "land", "work")
    kept = said(repository, "worktree", "remove", "work", code=1)["refused"]
    assert repair in kept[0]["reason"]
    git(repository, "worktree", "repair", str(new))
    assert listed(repository)["work"]["path"] == str(new)


def test_a_moved_worktree_with_a_task_says_what_moves_it_back(
    repository: Path, tmp_path: Path, paths: Paths
) -> None:
    """G7: its task keeps to the old place, so the worktree is not followed."""
    old, new = made(repository, "work"), tmp_path / "a place"
    task = Task(
        id="t1",
        repository=str(repository / ".git"),
        worktree=str(old),
        metadata=str(repository / ".git" / "worktrees" / "work"),
        branch="ctui/work",
        base=None,
        session="",
        prompt="hello",
        state=TaskState.ENDED,
    )
    with open_store(paths) as store:
        store.tasks.add(task)
    git(repository, "worktree", "move", str(old), str(new))
    item = listed(repository)["work"]
    assert (item["path"], item["problem"]) == (str(old), "moved")
    back = f"git -C {repository} worktree move '{new}' {old}"
    assert back in item["evidence"]
    for command in ("land", "update", "diff", "remove"):
        assert back in ctui(repository, "worktree", command, "work").stderr
    subprocess.run(shlex.split(back), check=True)
    assert listed(repository)["work"]["problem"] is None


def test_settings_of_a_bare_layout(project: Path) -> None:
    """G7: the worktree of the default branch has the `.ctui.toml`, and no other one."""
    (project / "main" / ".ctui.toml").write_text('[worktrees]\nprefix = "team/"\n')
    git(project / "main", "add", ".")
    git(project / "main", "commit", "-q", "-m", "Settings")
    path = made(project, "fix")
    assert git(path, "rev-parse", "--abbrev-ref", "HEAD") == "team/fix"
    (path / ".ctui.toml").write_text('[worktrees]\nprefix = "mine/"\n')
    assert git(made(path, "next"), "rev-parse", "--abbrev-ref", "HEAD") == "team/next"
    shown = said(path, "config", "show")["settings"]
    [prefix] = [one for one in shown if one["key"] == "worktrees.prefix"]
    assert (prefix["origin"], prefix["where"]) == (
        "repository file",
        str(project / "main" / ".ctui.toml"),
    )
