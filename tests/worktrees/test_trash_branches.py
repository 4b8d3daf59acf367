"""Which branch a removed worktree comes back on, and what becomes of it meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import CtuiError
from ctui.worktrees.trash.entries import records
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.snapshot import collect_garbage, is_whole, snapshot


async def test_a_deleted_branch_is_made_again_with_its_upstream(place: Place) -> None:
    place.git("commit", "-q", "--allow-empty", "-m", "Work")
    place.git("branch", "--set-upstream-to=main")
    before = snapshot(place.path)
    entry = await place.remove()
    git(place.folder, "branch", "-D", "ctui/work")
    collect_garbage(place.folder)
    restored = await restore_worktree(place.repository, entry.id)
    assert restored.notes == ["the branch ctui/work was gone, and is made again"]
    assert snapshot(place.path) == before
    is_whole(place.path)


@pytest.mark.parametrize("why", ["moved", "elsewhere", "in the way"])
async def test_a_branch_that_is_not_free_gives_another(
    place: Place, tmp_path: Path, why: str
) -> None:
    (place.path / "work").write_text("x")
    place.git("add", "work")
    place.git("commit", "-q", "-m", "Work")
    place.git("branch", "--set-upstream-to=main")
    tip = place.git("rev-parse", "HEAD")
    entry = await place.remove(delete_branch=why == "in the way")
    if why == "moved":
        git(place.folder, "branch", "-f", "ctui/work", "main")
    elif why == "elsewhere":
        git(place.folder, "worktree", "add", "-q", str(tmp_path / "other"), "ctui/work")
    else:
        git(place.folder, "branch", "ctui/work/below", "main")
    git(place.folder, "branch", "ctui/work-restored", "main")
    heads = git(place.folder, "rev-parse", "--branches")
    restored = await restore_worktree(place.repository, entry.id)
    assert restored.branch == "ctui/work-restored-2"
    assert restored.record is not None
    assert restored.record.branch == restored.branch
    assert "the worktree is on ctui/work-restored-2" in restored.notes[0]
    assert place.git("symbolic-ref", "--short", "HEAD") == restored.branch
    assert place.git("rev-parse", "HEAD") == tip
    assert place.git("rev-parse", "--abbrev-ref", "@{upstream}") == "main"
    assert place.git("status", "--porcelain") == ""
    assert set(heads.split()) <= set(git(place.folder, "rev-parse", "--branches").split())


async def test_the_branch_stays_where_something_else_needs_it(place: Place) -> None:
    place.git("checkout", "-q", "--ignore-other-worktrees", "main")
    entry = await place.remove(delete_branch=True)
    assert not entry.branch_deleted
    assert git(place.folder, "rev-parse", "--verify", "main")


async def test_a_branch_that_moved_in_the_last_instant_is_not_deleted(place: Place) -> None:
    repository = place.repository
    entry = await place.remove(delete_branch=True)
    assert entry.branch_deleted
    assert git(place.folder, "branch", "--list", "ctui/*") == ""
    assert git(place.folder, "config", "--get-regexp", "^core.bare") == "core.bare false"
    # The same record again, as recovery sees it when the branch was moved after a crash.
    (record,) = records(repository)
    git(place.folder, "branch", "ctui/work", "main~")
    from ctui.worktrees.trash.branches import delete_branch

    assert record.branch is not None
    assert not await delete_branch(repository, record.branch)
    assert git(place.folder, "rev-parse", "ctui/work") == git(place.folder, "rev-parse", "main~")


async def test_a_configuration_that_somebody_writes_just_now_keeps_its_part(place: Place) -> None:
    place.git("branch", "--set-upstream-to=main")
    before = snapshot(place.path)
    lock = place.repository.common_dir / "config.lock"
    lock.write_text("")
    entry = await place.remove(delete_branch=True)
    assert entry.branch_deleted
    await restore_worktree(place.repository, entry.id)
    lock.unlink()
    assert snapshot(place.path) == before


async def test_the_name_of_a_branch_is_no_pattern(place: Place) -> None:
    place.git("checkout", "-q", "-b", "a+b.(c)$|{x}")
    place.git("config", "branch.a+b.(c)$|{x}.description", "mine")
    git(place.folder, "config", "branch.aab-(c).description", "another's")
    before = snapshot(place.path)
    entry = await place.remove(delete_branch=True)
    assert entry.branch_deleted
    assert git(place.folder, "config", "--get-regexp", "^branch") == (
        "branch.aab-(c).description another's"
    )
    await restore_worktree(place.repository, entry.id)
    assert snapshot(place.path) == before


async def test_a_restore_that_fails_leaves_no_branch_behind(place: Place) -> None:
    place.git("config", f"branch.{place.record.branch}.description", "mine")
    place.git("commit", "-q", "--allow-empty", "-m", "Work")
    reflog = place.git("reflog", "show", str(place.record.branch))
    entry = await place.remove(delete_branch=True)
    lock = place.repository.common_dir / "config.lock"
    lock.touch()
    with pytest.raises(CtuiError):
        await restore_worktree(place.repository, entry.id)
    assert str(place.record.branch) not in place.repository.git.branches.local
    lock.unlink()
    await restore_worktree(place.repository, entry.id)
    assert place.git("config", f"branch.{place.record.branch}.description") == "mine"
    assert place.git("reflog", "show", str(place.record.branch)) == reflog
