"""Landing a worktree's commits: what the target holds afterwards, and when nothing moves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import get_args

import pytest

from ctui.errors import Conflict, InvalidInput, NotFound, Refused
from ctui.worktrees.create import create_worktree
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import Landed, land, undo_landing
from ctui.worktrees.landing.landing_commit import Method
from ctui.worktrees.landing.merge_plan import MergeConflict
from tests.conftest import git
from tests.worktrees.landing import Place, commit_file, leftovers, make_place, snapshot

METHODS: tuple[Method, ...] = get_args(Method)


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    return await make_place(repository, tmp_path)


async def landed(place: Place, method: Method = "merge", **options: str | bool) -> Landed:
    return await land(place.repository, place.worktree, method=method, **options)  # type: ignore[arg-type]


def diverge(place: Place) -> tuple[str, str]:
    """Two commits in the worktree and one on main that go together; main and the tip."""
    place.work("a", "a\n", "Add a\n\nBecause.")
    tip = place.work("hello.txt", "hello\nworld\nagain\n", "Greet again")
    return place.on_main("main-only", "m\n"), tip


@pytest.mark.parametrize("method", METHODS)
async def test_the_target_and_its_checkout_have_it_all(place: Place, method: Method) -> None:
    before, tip = diverge(place)
    result = await landed(place, method)
    assert result == Landed(
        method=method,
        target="main",
        before=before,
        after=place.oid("main"),
        commits=2,
        checkout_moved=True,
    )
    assert git(place.main, "status", "--porcelain") == ""
    assert (place.main / "hello.txt").read_text() == "hello\nworld\nagain\n"
    assert sorted(p.name for p in place.main.iterdir()) == [".git", "a", "hello.txt", "main-only"]
    parents = git(place.main, "log", "-1", "--format=%P").split()
    log = git(place.main, "log", "--first-parent", "--format=%an|%s", f"{before}..main")
    if method == "merge":
        assert parents == [before, tip]
        assert log == "The Person|Merge branch 'ctui/work'"
    elif method == "squash":
        assert parents == [before]
        assert log == "The Person|Squash branch 'ctui/work'"
        assert "* Add a\n* Greet again" in git(place.main, "log", "-1", "--format=%b")
    else:
        assert log == "Test|Greet again\nTest|Add a"
        assert git(place.main, "log", "-1", "--skip=1", "--format=%B%cn") == (
            "Add a\n\nBecause.\nThe Person"
        )
    assert place.oid("ctui/work") == tip
    assert f"{method} of ctui/work" in git(place.main, "log", "-1", "-g", "--format=%gs", "HEAD")
    git(place.main, "fsck", "--strict")
    assert leftovers(place) == []


@pytest.mark.parametrize("method", METHODS)
async def test_undone_is_as_before(place: Place, method: Method) -> None:
    diverge(place)
    (place.main / "unsaved").write_text("mine")
    before = snapshot(place.main)
    result = await landed(place, method)
    assert snapshot(place.main) != before
    assert await undo_landing(place.repository, result)
    assert snapshot(place.main) == before
    assert leftovers(place) == []


async def test_what_came_after_is_not_undone(place: Place) -> None:
    diverge(place)
    result = await landed(place)
    place.on_main("later", "x")
    before = snapshot(place.main)
    with pytest.raises(Conflict, match="not where the landing left it"):
        await undo_landing(place.repository, result)
    assert snapshot(place.main) == before


async def test_a_merge_may_be_a_fast_forward(place: Place) -> None:
    tip = place.work("a", "a")
    result = await landed(place, fast_forward=True)
    assert (result.after, result.commits) == (tip, 1)
    assert git(place.main, "status", "--porcelain") == ""


async def test_a_merge_is_a_commit_where_nothing_else_is_allowed(place: Place) -> None:
    tip = place.work("a", "a")
    assert (await landed(place, message="Take it")).after != tip
    assert git(place.main, "log", "-1", "--format=%s %P").split(" ", 2)[:2] == ["Take", "it"]
    assert git(place.main, "log", "-1", "--format=%P").split()[1] == tip


async def test_a_rebase_of_what_is_ahead_already_keeps_the_commits(place: Place) -> None:
    tip = place.work("a", "a")
    assert (await landed(place, "rebase")).after == tip


async def test_one_squashed_commit_keeps_its_message(place: Place) -> None:
    place.work("a", "a", "Add a\n\nBecause.")
    await landed(place, "squash")
    assert git(place.main, "log", "-1", "--format=%B") == "Add a\n\nBecause."


async def test_a_rebase_leaves_out_what_is_there_and_keeps_what_was_empty(place: Place) -> None:
    place.work("a", "a\n")
    git(place.path, "commit", "-q", "--allow-empty", "-m", "Empty")
    place.work("b", "b\n")
    place.on_main("a", "a\n")
    result = await landed(place, "rebase")
    assert result.commits == 2
    subjects = git(place.main, "log", "--format=%s", f"{result.before}..main").splitlines()
    assert subjects == ["Write b", "Empty"]


async def test_merges_in_the_branch_are_not_replayed(place: Place) -> None:
    diverge(place)
    git(place.path, "merge", "-q", "main")
    with pytest.raises(Refused, match="merges") as refused:
        await landed(place, "rebase")
    assert "squash" in refused.value.hint
    assert (await landed(place, "squash")).commits == 3


@pytest.mark.parametrize("method", METHODS)
async def test_a_conflict_names_the_files_and_moves_nothing(place: Place, method: Method) -> None:
    place.work("hello.txt", "ours\n")
    (place.path / "gone").write_text("1\n" * 9)
    place.work("gone", "changed\n")
    target = place.on_main("hello.txt", "theirs\n")
    before = snapshot(place.main), snapshot(place.path)
    with pytest.raises(MergeConflict) as conflict:
        await landed(place, method)
    assert [(file.path, file.kind) for file in conflict.value.files] == [("hello.txt", "contents")]
    assert target in conflict.value.for_task
    assert "hello.txt" in conflict.value.for_task
    assert (snapshot(place.main), snapshot(place.path)) == before
    assert leftovers(place) == []
    # What the message tells the task to do works.
    with pytest.raises(Exception, match="exit status 1"):
        git(place.path, "merge", target)
    place.work("hello.txt", "both\n", "Resolve")
    if method != "rebase":
        await landed(place, method)
        assert (place.main / "hello.txt").read_text() == "both\n"


async def test_kinds_of_conflict_are_told(place: Place) -> None:
    place.work("both", "ours\n")
    place.work("hello.txt", "changed\n")
    place.on_main("both", "theirs\n")
    git(place.main, "rm", "-q", "hello.txt")
    git(place.main, "commit", "-q", "-m", "Remove")
    with pytest.raises(MergeConflict, match="modify/delete") as conflict:
        await landed(place)
    kinds = {file.path: file.kind for file in conflict.value.files}
    assert kinds == {"both": "contents", "hello.txt": "modify/delete"}


async def test_another_target_that_nobody_has_checked_out(place: Place) -> None:
    git(place.main, "branch", "release")
    place.work("a", "a")
    before = snapshot(place.main)[2:]
    result = await landed(place, target="release")
    assert (result.target, result.checkout_moved) == ("release", False)
    assert git(place.main, "show", "release:a") == "a"
    assert snapshot(place.main)[2:] == before
    assert await undo_landing(place.repository, result) is False
    assert place.oid("release") == result.before


async def test_a_target_in_another_worktree_moves_there(place: Place, tmp_path: Path) -> None:
    git(place.main, "worktree", "add", "-q", "-b", "release", str(tmp_path / "release"))
    place.work("a", "a")
    assert (await landed(place, target="release")).checkout_moved
    assert (tmp_path / "release" / "a").read_text() == "a"
    assert git(tmp_path / "release", "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["nowhere", "../main", "ctui/work", "-x"])
async def test_targets_that_cannot_be(place: Place, name: str) -> None:
    place.work("a", "a")
    with pytest.raises((NotFound, InvalidInput)):
        await landed(place, target=name)


async def test_a_target_in_two_checkouts_or_in_a_missing_one_is_refused(
    place: Place, tmp_path: Path
) -> None:
    place.work("a", "a")
    git(place.main, "worktree", "add", "-q", "-f", str(tmp_path / "second"), "main")
    with pytest.raises(Refused, match="in 2 places"):
        await landed(place)
    git(place.main, "switch", "-q", "-c", "other")
    (tmp_path / "second").rename(tmp_path / "away")
    with pytest.raises(Refused, match="missing"):
        await landed(place)
    (tmp_path / "away").rename(tmp_path / "second")
    assert (await landed(place)).checkout_moved


async def test_a_target_that_is_being_rebased_is_refused(place: Place) -> None:
    place.work("a", "a")
    place.on_main("hello.txt", "1\n")
    git(place.main, "branch", "upstream", "HEAD~1")
    git(place.main, "switch", "-q", "upstream")
    place.on_main("hello.txt", "2\n")
    git(place.main, "switch", "-q", "main")
    with pytest.raises(Exception, match="exit status 1"):
        git(place.main, "rebase", "upstream")
    with pytest.raises(Refused, match="rebased"):
        await landed(place)


@pytest.mark.parametrize("method", METHODS)
async def test_there_must_be_something_to_land(place: Place, method: Method) -> None:
    with pytest.raises(Refused, match="has everything"):
        await landed(place, method)
    place.work("a", "a\n")
    place.on_main("a", "a\n", "The same, by somebody else")
    before = place.oid("main")
    with pytest.raises(Refused, match="every change"):
        await landed(place, method)
    assert place.oid("main") == before


async def test_uncommitted_work_is_not_left_behind(place: Place) -> None:
    place.work("a", "a")
    (place.path / "unsaved").write_text("x")
    with pytest.raises(Refused, match="unsaved"):
        await landed(place)


async def test_a_submodule_is_refused_unless_it_is_unchanged(place: Place) -> None:
    link = f"160000,{'2' * 40},module"
    git(place.main, "update-index", "--add", "--cacheinfo", link)
    git(place.main, "commit", "-q", "-m", "Link")
    git(place.path, "merge", "-q", "main")
    place.work("a", "a")
    git(place.path, "update-index", "--add", "--cacheinfo", link)
    git(place.path, "commit", "-q", "--amend", "--no-edit")
    await landed(place)
    git(place.path, "update-index", "--cacheinfo", link.replace("2", "3"))
    git(place.path, "commit", "-q", "-m", "Bump")
    with pytest.raises(Refused, match="module"):
        await landed(place)


async def test_unrelated_histories_are_refused(place: Place) -> None:
    git(place.path, "checkout", "-q", "--orphan", "lonely")
    commit_file(place.path, "x", "x")
    with pytest.raises(Refused, match="common history"):
        await landed(place)


async def test_several_that_land_at_once_never_lose_anything(place: Place) -> None:
    sources = []
    for number in range(4):
        made = await create_worktree(place.repository, place.path.parent, name=f"w{number}")
        commit_file(Path(made.path), f"file-{number}", "x")
        sources.append(linked_checkout(place.repository, Path(made.metadata), made))
    results = await asyncio.gather(
        *(land(place.repository, source) for source in sources), return_exceptions=True
    )
    there = [isinstance(result, Landed) for result in results]
    assert any(there)
    assert all(isinstance(result, Landed | Conflict) for result in results)
    assert [(place.main / f"file-{number}").exists() for number in range(4)] == there
    assert git(place.main, "status", "--porcelain") == ""
    assert leftovers(place) == []


async def test_no_hook_driver_or_signing_program_runs(place: Place, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    program.chmod(0o755)
    hooks = place.repository.common_dir / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-merge-commit", "post-merge", "post-checkout", "reference-transaction"):
        (hooks / name).symlink_to(program)
    place.work(".gitattributes", "hello.txt merge=evil diff=evil\n")
    diverge(place)
    place.on_main("hello.txt", "begin\nhello\nworld\n")
    for key in ("merge.evil.driver", "diff.evil.textconv", "gpg.program", "core.fsmonitor"):
        git(place.main, "config", key, f"{program} %A")
    git(place.main, "config", "commit.gpgSign", "true")
    # The test's own git ran hooks.
    (tmp_path / "executed").unlink(missing_ok=True)
    with pytest.raises(Refused, match="set in the repository's own configuration"):
        await landed(place)
    assert not (tmp_path / "executed").exists()
    git(place.main, "config", "commit.gpgSign", "false")
    await landed(place)
    assert not (tmp_path / "executed").exists()
    text = (place.main / "hello.txt").read_text()
    assert text == "begin\nhello\nworld\nagain\n"
