"""G18: refs inside a task follow the repository's at each turn, but for what the task moved."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ctui.git.exchange.fresh_refs import refresh_refs
from ctui.git.exchange.imports import ImportResult
from tests.conftest import git
from tests.git.conftest import BRANCH, Place


def refreshed(place: Place) -> int:
    status = Path(place.record.path).stat()
    return refresh_refs(place.private, BRANCH, (status.st_uid, status.st_gid))


def on_main(place: Place, name: str = "new") -> str:
    """Commit on main in the person's own checkout, while the task works."""
    (place.repository / name).write_text(name)
    git(place.repository, "add", name)
    git(place.repository, "commit", "-q", "-m", f"Add {name}")
    return git(place.repository, "rev-parse", "main")


async def test_main_that_moved_on_can_be_merged_in_the_task(place: Place) -> None:
    """G18: `git merge main` in the task said "Already up to date" for ever."""
    mine = place.commit("mine")
    tip = on_main(place)
    assert place.in_task("merge-base", "main", "HEAD") == place.record.base
    assert refreshed(place) == 1
    assert place.in_task("rev-parse", "main") == tip
    place.in_task("merge", "-q", "--no-edit", "main")
    assert place.in_task("merge-base", "main", "HEAD") == tip
    result = await place.bring()
    assert (result.branch, result.problem) == ("advanced", "")
    assert [ref.name for ref in result.refs] == [f"refs/ctui/t1/heads/{BRANCH}"]
    assert mine in git(place.repository, "rev-list", BRANCH)


async def test_remote_branches_and_tags_follow_and_new_and_deleted_ones_too(place: Place) -> None:
    """G18: everything that was copied, and nothing of it comes home as the task's work."""
    git(place.repository, "branch", "old")
    git(place.repository, "update-ref", "refs/remotes/origin/main", "main")
    assert refreshed(place) == 2
    tip = on_main(place)
    git(place.repository, "update-ref", "refs/remotes/origin/main", "main")
    git(place.repository, "tag", "-a", "-m", "One", "v1")
    git(place.repository, "branch", "-D", "old")
    git(place.repository, "branch", "old/now-a-folder")
    assert refreshed(place) == 5
    shown = place.in_task("rev-parse", "origin/main", "v1^{commit}", "old/now-a-folder")
    assert shown.split() == [tip] * 3
    assert "refs/heads/old\n" not in place.in_task("for-each-ref", "--format=%(refname)") + "\n"
    assert refreshed(place) == 0
    assert await place.bring() == ImportResult()
    place.in_task("fsck")


async def test_what_the_task_moved_deleted_or_made_is_its_own(place: Place) -> None:
    """G18: never a ref that the task moved, and never its own branch."""
    git(place.repository, "branch", "theirs")
    git(place.repository, "branch", "gone")
    refreshed(place)
    own = place.commit("own")
    place.in_task("branch", "-f", "theirs", own)
    place.in_task("branch", "-D", "gone")
    place.in_task("branch", "made/here")
    tip = on_main(place)
    for name in ("theirs", "gone", BRANCH):
        git(place.repository, "update-ref", f"refs/heads/{name}", tip)
    git(place.repository, "branch", "made")
    assert refreshed(place) == 1
    assert place.in_task("rev-parse", "main") == tip
    assert place.in_task("rev-parse", "theirs", "made/here", BRANCH) == "\n".join([own] * 3)
    names = place.in_task("for-each-ref", "--format=%(refname)").splitlines()
    assert "refs/heads/gone" not in names
    assert "refs/heads/made" not in names


async def test_what_is_checked_out_in_the_task_does_not_move_under_its_files(place: Place) -> None:
    """G18: a branch that the task switched to, packed or not, stays while it is there."""
    place.in_task("pack-refs", "--all")
    place.in_task("symbolic-ref", "HEAD", "refs/heads/main")
    before = place.in_task("rev-parse", "main")
    tip = on_main(place)
    assert refreshed(place) == 0
    assert place.in_task("rev-parse", "main") == before
    place.in_task("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    assert refreshed(place) == 1
    assert place.in_task("rev-parse", "main") == tip


async def test_a_git_of_the_task_that_holds_the_lock_goes_first(place: Place) -> None:
    """G18: the lock is git's own; what a crash of ctui left is taken over."""
    lock = place.git_dir / "packed-refs.lock"
    on_main(place)
    lock.write_text("of the task\n")
    assert refreshed(place) == 0
    assert lock.read_text() == "of the task\n"
    lock.write_text("# pack-refs with: sorted ctui \n")
    assert refreshed(place) == 1
    assert not lock.exists()


@pytest.mark.parametrize("cut_off", ["before", "after"])
async def test_a_crash_in_between_makes_no_ref_the_task_s(place: Place, cut_off: str) -> None:
    """G18: what was half done is completed, and nothing of it is imported as work."""
    tip = on_main(place)
    seed, packed = place.private.seed.read_bytes(), (place.git_dir / "packed-refs").read_bytes()
    refreshed(place)
    shutil.copy(place.private.seed, place.private.next_seed)
    place.private.seed.write_bytes(seed)
    if cut_off == "before":
        (place.git_dir / "packed-refs").write_bytes(packed)
    assert await place.bring() == ImportResult()
    later = on_main(place, "later")
    assert refreshed(place) == 1
    assert place.in_task("rev-parse", "main") == later != tip
    assert not place.private.next_seed.exists()
    assert await place.bring() == ImportResult()


def _link(path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(outside)


def _pipe(path: Path, _outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _garbage(path: Path, _outside: Path) -> None:
    path.write_bytes(b"\x00\xff" * 1000 + b"\n" + b"0" * 40 + b" refs/heads/../../x\n")


@pytest.mark.parametrize("trick", [_link, _pipe, _garbage])
async def test_a_directory_that_lies_changes_nothing_outside(
    place: Place, tmp_path: Path, trick: object
) -> None:
    """G18: no link is followed and nothing waits; the host's refs are only read."""
    assert callable(trick)
    outside = tmp_path / "outside"
    outside.write_text("untouched\n")
    trick(place.git_dir / "packed-refs", outside)
    (place.git_dir / "packed-refs.lock").symlink_to(outside)
    before = git(place.repository, "for-each-ref")
    on_main(place)
    refreshed(place)
    (place.git_dir / "packed-refs.lock").unlink(missing_ok=True)
    refreshed(place)
    assert outside.read_text() == "untouched\n"
    assert git(place.repository, "rev-parse", "main") not in before


async def test_an_isolated_task_sees_nothing_new(place: Place) -> None:
    """G18: isolation is for good, also of refs."""
    place.private.given.write_text("")
    on_main(place)
    assert refreshed(place) == 0


async def test_many_refs_are_fresh_in_a_moment(place: Place) -> None:
    """G18: ten thousand branches cost one file."""
    tip = on_main(place)
    lines = "".join(f"create refs/heads/many/{number} {tip}\n" for number in range(10_000))
    _update_refs(place.repository, lines)
    assert refreshed(place) == 10_001
    assert place.in_task("rev-parse", "many/9999") == tip


def _update_refs(repository: Path, lines: str) -> None:
    command = ["git", "update-ref", "--stdin"]
    subprocess.run(command, cwd=repository, input=lines.encode(), check=True)
