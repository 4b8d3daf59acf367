"""Pipes in the place of files that git opens: they hold nothing up, and are named."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.process.command import run_git, status_arguments
from ctui.git.process.pipes import blocking_pipe
from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.changes import worktree_diff
from ctui.worktrees.known import find_worktree, known_worktrees
from ctui.worktrees.landing.checkouts import Checkout, linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land
from ctui.worktrees.landing.update import plan_update
from ctui.worktrees.mending import what_to_do
from tests.git.conftest import Place


@pytest.fixture
def piped(place: Place) -> Path:
    """A pipe that a task put where git reads patterns, in a folder that has a new file."""
    folder = Path(place.record.path) / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / "new").write_text("new\n")
    os.mkfifo(folder / ".gitignore")
    return folder / ".gitignore"


async def _landing(repository: Repository, checkout: Checkout) -> object:
    return await land(repository, checkout, dry_run=True)


async def _committing(_repository: Repository, checkout: Checkout) -> object:
    return await commit_all(checkout, "Work")


async def _updating(repository: Repository, checkout: Checkout) -> object:
    return await plan_update(repository, checkout, dry_run=True)


async def _comparing(repository: Repository, _checkout: Checkout) -> object:
    found = find_worktree(known_worktrees(repository, {}), "work")
    return await worktree_diff(repository, found, stat=True)


@pytest.mark.parametrize("action", [_landing, _committing, _updating, _comparing])
async def test_a_pipe_is_named_in_seconds(
    place: Place, piped: Path, action: Callable[[Repository, Checkout], Awaitable[object]]
) -> None:
    """G4: git opens such files before it looks what they are, and would wait for minutes."""
    repository = open_repository(place.repository)
    checkout = linked_checkout(repository, Path(place.record.metadata))
    with pytest.raises(Refused, match="is a pipe") as caught:
        await action(repository, checkout)
    assert str(piped) in caught.value.message


async def test_a_pipe_for_attributes(place: Place) -> None:
    worktree = Path(place.record.path)
    os.mkfifo(worktree / ".gitattributes")
    # As many bytes as before, so git compares, and asks how they are transformed.
    (worktree / "hello.txt").write_text((worktree / "hello.txt").read_text().swapcase())
    metadata = Path(place.record.metadata)
    with pytest.raises(Refused, match="gitattributes is a pipe"):
        await run_git(status_arguments(), git_dir=metadata, work_tree=worktree)
    assert f"rm {worktree}/.gitattributes" in what_to_do("unreadable", worktree, metadata)


def test_only_what_git_waits_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "other")
    (tmp_path / ".gitignore").symlink_to("other")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".gitattributes").mkdir()
    assert blocking_pipe(tmp_path) is None
    os.mkfifo(tmp_path / "b" / ".gitignore")
    assert blocking_pipe(tmp_path) == tmp_path / "b" / ".gitignore"
