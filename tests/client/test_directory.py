"""The folder that a task starts in."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.client.tasks.directory import directory_of, make_directory
from ctui.errors import InvalidInput
from ctui.git.repository.repository import open_repository
from tests.conftest import git


def test_a_folder_is_named_from_the_checkout_or_worktree_around_it(
    repository: Path, tmp_path: Path
) -> None:
    """T22: the person stands in a subfolder, of whichever checkout."""
    git(repository, "worktree", "add", "-q", "inside", "-b", "inside")
    git(repository, "worktree", "add", "-q", str(tmp_path / "beside"), "-b", "beside")
    found = open_repository(repository)
    for folder, wanted in (
        (repository, ""),
        (repository / "a" / "b", "a/b"),
        (repository / "inside", ""),
        (repository / "inside" / "c", "c"),
        (tmp_path / "beside" / "d", "d"),
        (tmp_path, ""),
        (repository / ".git", ".git"),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        assert directory_of(found, folder) == wanted


def test_a_folder_is_made_and_no_link_is_followed(tmp_path: Path) -> None:
    """T22: what lies in a worktree, a task can have written."""
    worktree, outside = tmp_path / "worktree", tmp_path / "outside"
    for folder in (worktree, outside):
        folder.mkdir()
    make_directory(worktree, "")
    make_directory(worktree, "a/ü 好")
    make_directory(worktree, "a/ü 好")
    assert (worktree / "a" / "ü 好").is_dir()
    (worktree / "link").symlink_to(outside)
    (worktree / "file").write_text("x")
    for wrong in (
        "link",
        "link/x",
        "file",
        "file/x",
        "../outside",
        "/etc",
        "a/../../x",
        "a\0b",
        ".git",
        "a/.GIT/x",
    ):
        with pytest.raises(InvalidInput) as caught:
            make_directory(worktree, wrong)
        assert "\0" not in caught.value.message
    assert list(outside.iterdir()) == []
