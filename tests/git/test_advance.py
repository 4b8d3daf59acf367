"""The worktree's branch follows what its task did, and nothing that the host has is moved."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from ctui.git.exchange import advance
from ctui.git.exchange.imports import import_work
from ctui.git.private.private import create_private
from ctui.git.repository.repository import open_repository
from ctui.worktrees.model import WorktreeRecord
from tests.conftest import git
from tests.git.conftest import BRANCH, Place


async def test_a_commit_moves_the_branch_and_the_index_and_no_file(place: Place) -> None:
    tip = place.commit("new")
    (Path(place.record.path) / "unsaved").write_text("mine")
    result = await place.bring()
    assert result.branch == "advanced"
    assert git(place.repository, "rev-parse", BRANCH) == tip
    assert place.host("status", "--porcelain") == "?? unsaved"
    assert (await place.bring()).branch == "unchanged"


@pytest.mark.parametrize("change", ["commit", "stage", "switch", "rewrite"])
async def test_what_changed_on_the_host_is_never_moved(place: Place, change: str) -> None:
    await place.bring()
    if change == "rewrite":
        place.in_task("commit", "-q", "--amend", "-m", "Another root of it")
    else:
        place.commit("new")
    if change == "commit":
        place.host("commit", "-q", "--allow-empty", "-m", "By hand")
    elif change == "stage":
        (Path(place.record.path) / "hello.txt").write_text("staged\n")
        place.host("add", "hello.txt")
    elif change == "switch":
        place.host("symbolic-ref", "HEAD", "refs/heads/elsewhere")
    before = (git(place.repository, "rev-parse", BRANCH), place.host("ls-files", "-s"))
    result = await place.bring()
    assert result.branch == "diverged"
    assert result.reason
    assert (git(place.repository, "rev-parse", BRANCH), place.host("ls-files", "-s")) == before


@pytest.mark.parametrize("moved", [False, True])
async def test_an_advance_that_a_crash_cut_off_is_completed(place: Place, moved: bool) -> None:
    tip = place.commit("new")
    metadata = Path(place.record.metadata)
    (metadata / "index.lock").write_bytes(b"ctui\n")
    note = advance._Advance(BRANCH, place.record.base or "", tip)
    (place.private.folder / "advance.json").write_bytes(msgspec.json.encode(note))
    if moved:
        objects = place.repository / ".git" / "objects"
        shutil.copytree(place.git_dir / "objects", objects, dirs_exist_ok=True)
        (objects / "info" / "alternates").unlink()
        git(place.repository, "update-ref", f"refs/heads/{BRANCH}", tip)
    result = await place.bring()
    assert result.problem == ""
    assert git(place.repository, "rev-parse", BRANCH) == tip
    assert place.host("status", "--porcelain") == ""
    assert not (metadata / "index.lock").exists()


async def test_a_lock_of_another_git_is_left_alone(place: Place) -> None:
    place.commit("new")
    lock = Path(place.record.metadata) / "index.lock"
    lock.write_bytes(b"")
    assert (await place.bring()).branch == "diverged"
    assert lock.exists()
    lock.unlink()
    assert (await place.bring()).branch == "advanced"


async def test_the_checkout_s_own_branch_is_never_moved(repository: Path, tmp_path: Path) -> None:
    found = open_repository(repository)
    folder = tmp_path / "task"
    folder.mkdir()
    head = git(repository, "rev-parse", "HEAD")
    private = await create_private(found, None, folder, "main", head, (os.getuid(), os.getgid()))
    record = WorktreeRecord(
        name="main",
        path=str(repository),
        repository=str(found.common_dir),
        metadata="",
        device=0,
        inode=0,
        branch="main",
        base=head,
        created=0,
    )
    tip = Place(repository, record, private).commit("new")
    result = await import_work(private, "t1", "main", head)
    assert result.branch == "untouched"
    assert git(repository, "rev-parse", "main") == head
    assert git(repository, "rev-parse", "refs/ctui/t1/heads/main") == tip
