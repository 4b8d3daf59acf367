"""A landing in two halves: nothing moves before the second, and that moves what the first made."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ctui.errors import Conflict, Refused
from ctui.worktrees.landing.kept_commit import PREFIX, kept_commit
from ctui.worktrees.landing.land import finish, land, prepare
from ctui.worktrees.landing.landing_commit import Method
from tests.conftest import git
from tests.worktrees.landing import Place, leftovers, make_place, snapshot


@pytest.fixture
def place(repository: Path, tmp_path: Path) -> Place:
    place = asyncio.run(make_place(repository, tmp_path))
    place.on_main("edited", "before\n")
    git(place.path, "merge", "-q", "main")
    place.work("edited", "after\n")
    place.work("added/file", "new\n")
    place.on_main("other", "the target's own\n")
    return place


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_nothing_moves_before_it_is_finished(place: Place, method: Method) -> None:
    before, index = snapshot(place.main), place.main_index.read_bytes()
    prepared = await prepare(place.repository, place.worktree, method=method)
    assert git(place.main, "cat-file", "-t", prepared.after) == "commit"
    await finish(place.repository, prepared, dry_run=True)
    assert (snapshot(place.main), place.main_index.read_bytes()) == (before, index)
    landed = await finish(place.repository, prepared)
    assert (landed.before, landed.after) == (prepared.before, prepared.after)
    assert place.oid("main") == prepared.after
    assert (place.main / "edited").read_text() == "after\n"
    assert git(place.main, "status", "--porcelain") == ""
    assert leftovers(place) == []


async def test_what_was_prepared_before_the_target_moved_is_refused(place: Place) -> None:
    prepared = await prepare(place.repository, place.worktree)
    moved = place.on_main("late", "by somebody else\n")
    before = snapshot(place.main)
    with pytest.raises(Conflict, match="moved meanwhile"):
        await finish(place.repository, prepared)
    assert snapshot(place.main) == before
    assert place.oid("main") == moved
    assert (await land(place.repository, place.worktree)).before == moved


async def test_what_is_in_the_way_is_seen_without_moving_anything(place: Place) -> None:
    prepared = await prepare(place.repository, place.worktree)
    (place.main / "edited").write_text("mine\n")
    before = snapshot(place.main)
    for dry_run in (True, False):
        with pytest.raises(Refused, match="edited"):
            await finish(place.repository, prepared, dry_run=dry_run)
        assert snapshot(place.main) == before


async def test_commits_after_it_was_prepared_stay_behind(place: Place) -> None:
    prepared = await prepare(place.repository, place.worktree)
    place.work("late", "nobody has looked at it\n")
    await finish(place.repository, prepared)
    assert not (place.main / "late").exists()
    assert (await land(place.repository, place.worktree)).commits == 1


async def test_what_is_kept_outlives_a_collection_and_leaves_no_ref(place: Place) -> None:
    prepared = await prepare(place.repository, place.worktree)
    with kept_commit(place.repository, "0123456789abcdef", prepared.after):
        pass
    with kept_commit(place.repository, "0123456789abcdef", prepared.after):
        git(place.main, "gc", "-q", "--prune=now")
        await finish(place.repository, prepared)
    assert git(place.main, "fsck", "--connectivity-only", "--no-dangling") == ""
    assert git(place.main, "for-each-ref", "refs/ctui") == ""


async def test_what_a_killed_landing_kept_is_replaced(place: Place) -> None:
    prepared = await prepare(place.repository, place.worktree)
    ref = f"{PREFIX}0123456789abcdef"
    git(place.main, "update-ref", ref, "main")
    (place.repository.common_dir / f"{ref}.lock").touch()
    with kept_commit(place.repository, "0123456789abcdef", prepared.after):
        assert place.oid(ref) == prepared.after
    assert git(place.main, "for-each-ref", "refs/ctui") == ""
