from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from ctui.errors import Conflict, ExternalFailure, Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.model import WorktreeRecord, WorktreeStatus
from ctui.worktrees.owner import TASK_UID, task_owner
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.looking import list_worktrees, remove_worktree, worktree_status


@pytest.fixture
def found(repository: Path) -> Repository:
    return open_repository(repository)


async def made(found: Repository, tmp_path: Path, name: str = "work") -> WorktreeRecord:
    return await create_worktree(found, tmp_path / "worktrees", name=name)


async def now(found: Repository, record: WorktreeRecord) -> WorktreeStatus:
    return await worktree_status(found, record)


async def test_a_worktree_has_a_branch_of_its_own(found: Repository, tmp_path: Path) -> None:
    record = await create_worktree(found, tmp_path / "w", prompt="Please fix the Login redirect!")
    assert (record.name, record.branch) == ("fix-login-redirect", "ctui/fix-login-redirect") or (
        record.branch == f"ctui/{record.name}"
    )
    status = await now(found, record)
    assert (status.status, status.verdict.kind) == ("clean", "no-commits")


async def test_the_same_prompt_gets_another_name(found: Repository, tmp_path: Path) -> None:
    names = [(await create_worktree(found, tmp_path / "w", prompt="same")).name for _ in range(3)]
    assert names == ["same", "same-2", "same-3"]


async def test_a_hook_of_the_repository_does_not_run(found: Repository, tmp_path: Path) -> None:
    hook = found.common_dir / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    hook.chmod(0o755)
    await made(found, tmp_path)
    assert not (tmp_path / "executed").exists()


async def test_a_failure_leaves_nothing_behind(found: Repository, tmp_path: Path) -> None:
    git(found.common_dir.parent, "branch", "ctui")
    before = git(found.common_dir.parent, "for-each-ref")
    with pytest.raises(Conflict):
        await made(found, tmp_path)
    assert git(found.common_dir.parent, "for-each-ref") == before
    assert not (found.common_dir / "worktrees").exists()


async def test_root_s_worktree_belongs_to_a_uid_that_is_nobody_s(
    found: Repository, tmp_path: Path
) -> None:
    record = await made(found, tmp_path)
    owner = TASK_UID if os.geteuid() == 0 else os.geteuid()
    assert task_owner(Path(record.path))[0] == owner
    if os.geteuid() == 0:
        with pytest.raises(Refused):
            task_owner(found.common_dir.parent)


async def test_changes_are_counted(found: Repository, tmp_path: Path) -> None:
    record = await made(found, tmp_path)
    path = Path(record.path)
    (path / "hello.txt").write_text("changed\n")
    (path / "new name\n").write_text("")
    (path / "staged").write_text("x")
    git(path, "add", "staged")
    status = await now(found, record)
    assert status.changes is not None
    assert (status.changes.staged, status.changes.modified, status.changes.untracked) == (1, 1, 1)
    assert status.status == "unclean"


async def test_merged_and_unmerged_are_told_apart(found: Repository, tmp_path: Path) -> None:
    repository = found.common_dir.parent
    merged, open_ = await made(found, tmp_path, "merged"), await made(found, tmp_path, "open")
    for record in (merged, open_):
        (Path(record.path) / record.name).write_text("work\n")
        git(Path(record.path), "add", ".")
        git(Path(record.path), "commit", "-q", "-m", record.name)
    git(repository, "merge", "-q", "ctui/merged")
    statuses = {s.name: s for s in await list_worktrees(open_repository(repository), {})}
    assert statuses["merged"].status == "merged"
    assert (statuses["open"].status, statuses["open"].ahead) == ("unclean", 1)


@pytest.mark.parametrize("attack", ["link", "folder", "other", "gone"])
async def test_a_tampered_worktree_is_noticed(
    found: Repository, tmp_path: Path, attack: str
) -> None:
    record = await made(found, tmp_path)
    path = Path(record.path)
    if attack == "link":
        (path / ".git").write_text(f"gitdir: {tmp_path}/evil\n")
    elif attack == "folder":
        path.rename(tmp_path / "moved")
        path.symlink_to("/etc")
    elif attack == "other":
        path.rename(tmp_path / "moved")
        path.mkdir()
    else:
        path.rename(tmp_path / "moved")
    status = await now(found, record)
    assert status.problem == ("missing" if attack == "gone" else "tampered")
    assert status.status == "unclean"
    with pytest.raises(Refused):
        await remove_worktree(found, status, record, force=attack != "gone")


async def test_a_worktree_without_its_link_goes_with_force_and_comes_back(
    found: Repository, tmp_path: Path
) -> None:
    """S13: by its inode it is the one that was made, so that --force leads out."""
    record = await made(found, tmp_path)
    path = Path(record.path)
    (path / ".git").unlink()
    (path / "work").write_text("work\n")
    status = await now(found, record)
    assert (status.problem, status.status) == ("unlinked", "unclean")
    with pytest.raises(Refused, match="unlinked") as refused:
        await remove_worktree(found, status, record)
    assert f"git -C {found.work_tree} worktree repair; or --force" in refused.value.hint
    entry = await remove_worktree(found, status, record, force=True)
    assert not path.exists()
    await restore_worktree(found, entry.id)
    assert (path / "work").read_text() == "work\n"
    assert (await now(found, record)).problem == "unlinked"
    git(found.common_dir, "worktree", "repair")
    assert (await now(found, record)).problem is None


async def test_two_that_want_the_same_name_both_get_a_worktree(
    found: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "w"
    made = await asyncio.gather(*(create_worktree(found, folder, prompt="same") for _ in range(12)))
    assert len({record.path for record in made}) == 12
    assert all((Path(record.path) / "hello.txt").is_file() for record in made)


async def test_a_failed_create_leaves_a_worktree_alone_whose_disk_is_away(
    found: Repository, tmp_path: Path
) -> None:
    other = await made(found, tmp_path, "other")
    Path(other.path).rename(tmp_path / "unmounted")
    (found.common_dir / "refs" / "heads" / "ctui" / "broken.lock").write_text("")
    with pytest.raises(ExternalFailure):
        await made(found, tmp_path, "broken")
    assert Path(other.metadata).is_dir()
    (tmp_path / "unmounted").rename(other.path)
    assert (await now(found, other)).problem is None


async def test_unsaved_work_in_a_nested_repository_is_never_merged(
    found: Repository, tmp_path: Path
) -> None:
    record = await made(found, tmp_path)
    path = Path(record.path)
    git(path, "update-index", "--add", "--cacheinfo", f"160000,{'2' * 40},nested")
    git(path, "commit", "-q", "-m", "Link")
    git(found.common_dir.parent, "merge", "-q", "ctui/work")
    status = await now(open_repository(found.common_dir.parent), record)
    assert (status.status, status.problem) == ("unclean", "submodules-unchecked")
    with pytest.raises(Refused):
        await remove_worktree(found, status, record)
