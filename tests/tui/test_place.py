"""Where a repository is, also where its files are damaged or made to do harm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.tui.support.place import Place, find_place, place_at
from tests.conftest import git


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    return project


def test_links_are_followed_before_one_looks_up(repository: Path, folder: Path) -> None:
    (repository / "inner").mkdir()
    (folder / "link").symlink_to(repository / "inner")
    assert find_place(folder / "link") == Place(repository / ".git")


@pytest.mark.parametrize("text", ["gitdir: a\0b\n", "gitdir: loop\n", "gitdir:\n", "", "\xff"])
def test_a_damaged_git_file_leads_nowhere(folder: Path, text: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "loop").symlink_to("loop")
    (inner / ".git").write_bytes(text.encode("latin-1"))
    assert find_place(inner) is None


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "loop"])
def test_a_path_that_cannot_be_is_no_place(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert find_place(tmp_path / name) is None


def test_a_head_that_can_name_nothing_is_no_place_to_begin(folder: Path) -> None:
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/" + "x" * 5000)
    assert not Place(folder / ".git").unborn


@pytest.mark.parametrize("name", ["HEAD", "packed-refs"])
def test_no_file_of_a_repository_is_waited_for(folder: Path, name: str) -> None:
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    place = Place(folder / ".git")
    before = place.unborn
    (place.git_dir / name).unlink(missing_ok=True)
    os.mkfifo(place.git_dir / name)
    assert (before, place.unborn) == (True, False)
    assert place.branch == ("" if name == "HEAD" else "main")


def test_a_head_without_an_end_is_none(folder: Path) -> None:
    (folder / ".git" / "HEAD").symlink_to("/dev/zero")
    assert Place(folder / ".git").branch == ""


def test_worktrees_are_named(repository: Path, tmp_path: Path) -> None:
    assert Place(repository / ".git").worktree_names() == {}
    git(repository, "worktree", "add", "-q", str(tmp_path / "w"))
    assert Place(repository / ".git").worktree_names() == {str(tmp_path / "w"): "w"}


def test_a_checkout_that_lost_its_repository_is_not_the_one_around_it(repository: Path) -> None:
    inner = repository / "inner"
    git(repository, "init", "-q", "inner")
    assert place_at(inner) == Place(inner / ".git")
    (inner / ".git").rename(repository / "taken-away")
    assert find_place(inner) == Place(repository / ".git")
    assert place_at(inner) is None
