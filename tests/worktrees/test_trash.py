"""What the trash takes, what it refuses, and who gets it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from ctui.errors import Conflict, CtuiError, Refused, Unavailable
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.trash.entries import TrashEntry, records, write_record
from ctui.worktrees.trash.keep_refs import named_objects
from ctui.worktrees.trash.recovery import trash_entries
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.killer import Killer
from tests.worktrees.looking import list_worktrees, remove_worktree
from tests.worktrees.snapshot import collect_garbage, is_whole, pins, snapshot


async def test_an_unclean_worktree_needs_force(place: Place) -> None:
    (place.path / "new").write_text("")
    with pytest.raises(Refused, match="uncommitted changes"):
        await place.remove(force=False)
    entry = await place.remove()
    assert [found.id for found in await trash_entries(place.repository)] == [entry.id]


@pytest.mark.parametrize("change", ["file", "edit", "commit", "branch"])
async def test_what_changed_since_the_look_is_not_removed(place: Place, change: str) -> None:
    seen = await place.look()
    if change == "file":
        (place.path / "new").write_text("")
    elif change == "edit":
        (place.path / "hello.txt").write_text("edited\n")
    elif change == "commit":
        place.git("commit", "-q", "--allow-empty", "-m", "New")
    else:
        place.git("checkout", "-q", "-b", "other")
    before = snapshot(place.path)
    with pytest.raises(Conflict, match=r"work changed meanwhile: (changes|head|branch) was"):
        await remove_worktree(place.repository, seen, place.record, force=True)
    assert snapshot(place.path) == before
    assert records(place.repository) == []


@pytest.mark.parametrize("change", ["edit", "stage", "reflog", "merged"])
async def test_what_changes_in_the_last_instant_puts_everything_back(
    place: Place, tmp_path: Path, change: str
) -> None:
    companion = tmp_path / "task" / "git"
    companion.mkdir(parents=True)
    (place.path / "hello.txt").write_text("seen\n")
    place.git("add", "hello.txt")
    if change == "merged":
        place.git("commit", "-q", "-m", "To be merged")
        git(place.folder, "merge", "-q", "ctui/work")
    asked = 0

    def still_free() -> bool:
        """The second time it is asked, everything is looked at and pinned, nothing is moved."""
        nonlocal asked
        asked += 1
        if asked == 2:
            if change == "edit":
                (place.path / "late").write_text("x")
            elif change == "stage":
                (place.path / "hello.txt").write_text("late\n")
                place.git("add", "hello.txt")
            elif change == "reflog":
                place.git("commit", "-q", "--allow-empty", "-m", "Lost")
                place.git("reset", "-q", "--soft", "HEAD~")
            else:
                git(place.folder, "reset", "-q", "--hard", "HEAD~")
        return True

    with pytest.raises(Conflict, match="meanwhile"):
        await place.remove(still_free=still_free, companions=[companion], force=change != "merged")
    assert asked == 3
    assert (await place.look()).problem is None
    assert companion.is_dir()
    assert (records(place.repository), pins(place.folder)) == ([], [])


@pytest.mark.parametrize("answers", [[False], [True, False], [True, True, False]])
async def test_a_task_that_began_meanwhile_keeps_its_worktree(
    place: Place, answers: list[bool]
) -> None:
    before = snapshot(place.path)
    pending = iter(answers)
    with pytest.raises(Refused, match="somebody works in work"):
        await place.remove(still_free=lambda: next(pending))
    assert list(pending) == []
    assert snapshot(place.path) == before
    assert (records(place.repository), pins(place.folder)) == ([], [])


async def test_a_locked_worktree_is_left_alone(place: Place) -> None:
    git(place.folder, "worktree", "lock", "--reason", "on a stick", str(place.path))
    with pytest.raises(Refused, match="on a stick"):
        await place.remove()


async def test_a_cancelled_removal_puts_everything_back(place: Place) -> None:
    before = snapshot(place.path)
    removal: asyncio.Task[TrashEntry] | None = None
    asked = 0

    def still_free() -> bool:
        nonlocal asked
        asked += 1
        if asked == 3:  # it is in the trash, and the check there is about to begin
            assert not place.path.exists()
            assert removal is not None
            removal.cancel()
        return True

    removal = asyncio.create_task(place.remove(still_free=still_free))
    with pytest.raises(asyncio.CancelledError):
        await removal
    assert snapshot(place.path) == before
    assert records(place.repository) == []


async def test_of_two_that_remove_the_same_worktree_one_gets_it(
    place: Place, killer: Killer
) -> None:
    (place.path / "new").write_text("x")
    seen = await place.look()
    again = open_repository(place.folder)

    async def attempt() -> TrashEntry | CtuiError:
        try:
            return await remove_worktree(again, seen, place.record, force=True)
        except CtuiError as error:
            return error

    for _ in range(3):
        outcomes = await asyncio.gather(*(attempt() for _ in range(4)))
        removed = [outcome for outcome in outcomes if isinstance(outcome, TrashEntry)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, CtuiError)]
        assert (len(removed), len(refused)) == (1, 3)
        assert all(len(error.message.splitlines()) == 1 for error in refused)
        assert len(await trash_entries(again)) == 1
        await restore_worktree(again, removed[0].id)
    assert killer.run("recover", repository=str(place.folder)).exit_code == 0


async def test_another_process_that_removes_is_waited_for(place: Place, killer: Killer) -> None:
    record = msgspec.to_builtins(place.record)
    here = asyncio.create_task(place.remove())
    there = await asyncio.to_thread(
        killer.run, "remove", repository=str(place.folder), record=record
    )
    outcome = (await asyncio.gather(here, return_exceptions=True))[0]
    assert isinstance(outcome, TrashEntry) != (there.exit_code == 0)
    (entry,) = await trash_entries(place.repository)
    await restore_worktree(place.repository, entry.id)
    assert (await place.look()).problem is None


async def test_a_missing_worktree_leaves_its_metadata_in_the_trash(
    place: Place, tmp_path: Path
) -> None:
    (place.path / "staged").write_text("only in the index")
    place.git("add", "staged")
    place.path.rename(tmp_path / "moved")
    with pytest.raises(Refused, match="missing") as refused:
        await place.remove(force=False)
    assert "--force" in refused.value.hint
    entry = await place.remove()
    assert entry.place is None
    assert await list_worktrees(place.repository, {}) == []
    collect_garbage(place.folder)
    await restore_worktree(place.repository, entry.id)
    (tmp_path / "moved").rename(place.path)
    assert place.git("show", ":staged") == "only in the index"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_keeps_its_worktree(place: Place) -> None:
    before = snapshot(place.path)
    place.path.parent.chmod(0o500)
    try:
        with pytest.raises(Unavailable, match="cannot be moved"):
            await place.remove()
    finally:
        place.path.parent.chmod(0o700)
    assert snapshot(place.path) == before


async def test_a_read_only_worktree_keeps_its_mode(place: Place) -> None:
    place.path.chmod(0o555)
    entry = await place.remove()
    await restore_worktree(place.repository, entry.id)
    assert place.path.stat().st_mode & 0o777 == 0o555


async def test_repositories_do_not_wait_for_each_other(place: Place, tmp_path: Path) -> None:
    places = [place]
    for number in range(3):
        folder = tmp_path / f"repository-{number}"
        git(tmp_path, "clone", "-q", str(place.folder), str(folder))
        repository = open_repository(folder)
        record = await create_worktree(repository, tmp_path / "same", name=f"work-{number}")
        places.append(Place(repository, record))
    before = [snapshot(each.path) for each in places]
    entries = await asyncio.gather(*(each.remove() for each in places))
    for each, entry in zip(places, entries, strict=True):
        assert [found.id for found in await trash_entries(each.repository)] == [entry.id]
        await restore_worktree(each.repository, entry.id)
    assert [snapshot(each.path) for each in places] == before


async def test_a_removal_takes_few_processes_however_long_the_reflog_is(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Counted where they are started: by a `git` in front of git."""
    log = place.metadata / "logs" / "HEAD"
    place.git("checkout", "-q", "--detach")
    for number in range(40):
        place.git("commit", "-q", "--allow-empty", "-m", str(number))
        place.git("reset", "-q", "--hard", "HEAD~")
    assert len(named_objects(place.metadata)) > 40
    assert log.is_file()
    counted = _counted_git(monkeypatch, tmp_path)
    entry = await place.remove()
    assert len(counted.read_text().splitlines()) < 25
    assert len(pins(place.folder)) >= 40
    collect_garbage(place.folder)
    await restore_worktree(place.repository, entry.id)
    is_whole(place.path)


def _counted_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    import shutil

    from ctui.git.process import version

    real, counted = shutil.which("git"), tmp_path / "counted"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> "{counted}"\nexec "{real}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    version.executable.cache_clear()
    return counted


async def test_a_reflog_of_what_is_gone_does_not_break_collecting_garbage(place: Place) -> None:
    gone = "1" * 40
    with (place.metadata / "logs" / "HEAD").open("a") as log:
        log.write(f"{gone} {place.record.base} A <a@b> 1 +0000\tgone\n")
    place.git("commit", "-q", "--allow-empty", "-m", "Child")
    child = place.git("rev-parse", "HEAD")
    place.git("commit", "-q", "--amend", "--allow-empty", "-m", "Child again")
    entry = await place.remove()
    assert child in b"\n".join(pins(place.folder)).decode()
    collect_garbage(place.folder)
    await restore_worktree(place.repository, entry.id)
    assert (await place.look()).problem is None


@pytest.mark.parametrize("inner", ["worktree", "repository"])
async def test_nothing_else_goes_along(place: Place, tmp_path: Path, inner: str) -> None:
    path = place.path / "inner"
    if inner == "worktree":
        git(place.folder, "worktree", "add", "-q", "-b", "other", str(path))
        with pytest.raises(Refused, match="the worktree inner lies in work"):
            await place.remove()
        git(path, "status")
        return
    outer = tmp_path / "outer"
    git(place.folder, "worktree", "add", "-q", "-b", "other", str(outer))
    place.folder.rename(outer / "repository")
    git(outer / "repository", "worktree", "repair", str(outer), str(place.path))
    repository = open_repository(outer / "repository")
    (status,) = [found for found in await list_worktrees(repository, {}) if found.name == "outer"]
    with pytest.raises(Refused, match="the repository itself lies in"):
        await remove_worktree(repository, status, None, force=True)
    assert (outer / "repository" / "hello.txt").is_file()


async def test_the_repository_s_own_branch_is_never_deleted(place: Place) -> None:
    git(place.folder, "checkout", "-q", "-b", "dev")
    other = place.path.with_name("on-main")
    git(place.folder, "worktree", "add", "-q", str(other), "main")
    git(place.folder, "update-ref", "refs/remotes/origin/main", "main")
    git(place.folder, "remote", "add", "origin", "elsewhere")
    (known,) = [w for w in await list_worktrees(place.repository, {}) if w.branch == "main"]
    entry = await remove_worktree(place.repository, known, None, force=True, delete_branch=True)
    assert not entry.branch_deleted
    assert git(place.folder, "rev-parse", "main")


async def test_a_branch_that_is_checked_out_again_survives_the_end_of_a_removal(
    place: Place,
) -> None:
    """After a crash between the check of what lies in the trash and the branch's deletion."""
    place.git("commit", "-q", "--allow-empty", "-m", "Work")
    entry = await place.remove(delete_branch=True)
    (record,) = records(place.repository)
    assert record.branch is not None
    branch = msgspec.structs.replace(record.branch, deleted=True)
    write_record(place.repository, msgspec.structs.replace(record, stage="checked", branch=branch))
    git(place.folder, "checkout", "-q", "-b", str(place.record.branch), str(entry.head))
    assert [known.id for known in await trash_entries(place.repository)] == [entry.id]
    assert git(place.folder, "rev-parse", "HEAD") == entry.head
