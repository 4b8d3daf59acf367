"""`ctui worktree` in repositories of kinds that are not a clone with a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

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
