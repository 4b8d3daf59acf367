"""A private directory that borrows nothing: what is in it, and what is not."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from ctui.git.private.private import create_private, open_private
from ctui.git.repository.repository import open_repository
from tests.conftest import git
from tests.git.conftest import BRANCH
from tests.git.isolated import history, isolated, littered, objects


@pytest.mark.parametrize("packed", [False, True])
async def test_only_what_the_base_reaches_is_there(
    repository: Path, tmp_path: Path, packed: bool
) -> None:
    """T25: no stash, no dropped commit, no other branch, loose or packed; nothing is borrowed."""
    secret = littered(repository)
    if packed:
        git(repository, "repack", "-q", "-a", "-d", "-k")
    assert len(secret) >= 9
    place = await isolated(repository, tmp_path)
    assert objects(place) == history(repository, "HEAD")
    assert not objects(place) & secret
    assert not (place.git_dir / "objects" / "info" / "alternates").exists()
    assert place.in_task("log", "--format=%s") == "Greet the world\nSay hello"
    assert place.in_task("status", "--porcelain") == ""
    place.in_task("fsck", "--strict")


async def test_no_folder_of_objects_is_mounted(repository: Path, tmp_path: Path) -> None:
    """T25: also for a run after the first one, when the directory is opened again."""
    place = await isolated(repository, tmp_path)
    again = open_private(
        place.private.repository, place.private.folder, Path(place.record.metadata)
    )
    for private in (place.private, again):
        sources = {mount.source for mount in private.mounts(Path(place.record.path))}
        mine = {place.git_dir, private.folder / "dotgit", Path(place.record.path)}
        assert sources == mine


async def test_refs_that_lie_in_the_history_are_there(repository: Path, tmp_path: Path) -> None:
    """T25: others are not even named; a tag's own object comes with it."""
    git(repository, "branch", "older", "HEAD~1")
    git(repository, "tag", "-a", "-m", "First", "v1", "HEAD~1")
    git(repository, "tag", "late", git(repository, "commit-tree", "HEAD^{tree}", "-m", "x"))
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    littered(repository)
    place = await isolated(repository, tmp_path)
    names = place.in_task("for-each-ref", "--format=%(refname)").splitlines()
    assert names == [
        f"refs/heads/{BRANCH}",
        "refs/heads/main",
        "refs/heads/older",
        "refs/remotes/origin/main",
        "refs/tags/v1",
    ]
    assert place.in_task("describe") == f"v1-1-g{place.in_task('rev-parse', '--short', 'HEAD')}"
    assert objects(place) == history(repository, "HEAD", "v1")


@pytest.mark.parametrize("tidy", [False, True])
async def test_a_commit_comes_home_without_the_given_pack(
    repository: Path, tmp_path: Path, tidy: bool
) -> None:
    """T25: the pack of the history is not copied back, also after a `git gc` of the task."""
    place = await isolated(repository, tmp_path)
    given = place.private.given_packs()
    tip = place.commit("new")
    if tidy:
        place.in_task("gc", "-q", "--prune=now")
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")
    assert git(repository, "rev-parse", BRANCH) == tip
    staged = list((place.private.folder / "staging.git/objects").glob("pack/*.idx"))
    assert len(given) == 1
    assert not given & {path.stem for path in staged}
    assert len(staged) == int(tidy)
    for index in staged:
        listed = git(repository, "verify-pack", "-v", str(index))
        assert {line.split()[0] for line in listed.splitlines() if " commit " in line} == {tip}
    git(repository, "fsck", "--strict")
    assert (await place.bring()).branch == "unchanged"


async def test_a_given_pack_that_the_task_replaced_brings_nothing(
    repository: Path, tmp_path: Path
) -> None:
    """T25: what lies under its name is never read; a commit in it is missing, and that is said."""
    place = await isolated(repository, tmp_path)
    before = objects(place)
    tip = place.commit("new")
    (name,) = place.private.given_packs()
    packs = place.git_dir / "objects" / "pack"
    place.in_task("repack", "-q", "-a", "-d", "--pack-kept-objects")
    for path in packs.glob("pack-*.pack"):
        if path.stem != name:
            for end in (".pack", ".idx"):
                path.with_suffix(end).rename(packs / (name + end))
    assert tip in objects(place) - before
    result = await place.bring()
    assert f"heads/{BRANCH} (its commit is not there)" in result.problem
    assert git(repository, "rev-parse", BRANCH) == place.record.base


@pytest.mark.parametrize("seconds", [0.001, 0.01, 0.02, 0.04, 0.06, 0.08])
async def test_a_start_that_is_broken_off_leaves_nothing_half_made(
    repository: Path, tmp_path: Path, seconds: float
) -> None:
    """T25: whenever that is, the next start makes all of it."""
    found, owner = open_repository(repository), (os.getuid(), os.getgid())
    head = found.resolve("HEAD")
    folder = tmp_path / "task"
    folder.mkdir()
    for limit in (seconds, 60):
        with suppress(TimeoutError):
            await asyncio.wait_for(
                create_private(found, None, folder, "main", head, owner, isolated=True), limit
            )
        if (folder / "git").exists():
            break
    assert git(folder, "--git-dir=git", "rev-list", "--objects", "--all", "--count") == "6"
    assert open_private(found, folder, None).isolated
    assert not (folder / "git.new").exists()
