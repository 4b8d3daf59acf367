"""What a survey says of worktrees in every state, and that it asks no more than it must."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.git_status import GitStatus
from ctui.worktrees.model import Proof, Verdict, Work, WorktreeRecord, WorktreeStatus
from ctui.worktrees.survey import Survey
from tests.conftest import git
from tests.worktrees.conftest import Place
from tests.worktrees.looking import survey_of, worktree_status


async def unproven(works: Sequence[Work]) -> list[Proof]:
    return [Proof(Verdict("unmerged", "not asked"))] * len(works)


def commit(place: Place, name: str = "new") -> str:
    (place.path / name).write_text(name)
    place.git("add", name)
    place.git("commit", "-q", "-m", name)
    return place.git("rev-parse", "HEAD")


def remote_of(place: Place, tmp_path: Path) -> Path:
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(place.folder, "remote", "add", "origin", str(remote))
    git(place.folder, "push", "-q", "origin", "main")
    return remote


async def test_work_on_an_upstream_is_clean_until_that_is_gone(
    place: Place, tmp_path: Path
) -> None:
    remote_of(place, tmp_path)
    commit(place)
    place.git("push", "-q", "-u", "origin", "ctui/work")
    pushed = await place.look()
    assert (pushed.upstream.state, pushed.status) == ("present", "clean")
    commit(place, "later")
    ahead = await place.look()
    assert (ahead.upstream.ahead, ahead.status) == (1, "unclean")
    place.git("push", "-q", "origin", "ctui/work")
    git(place.folder, "update-ref", "-d", "refs/remotes/origin/ctui/work")
    gone = await place.look()
    assert (gone.upstream.state, gone.status) == ("gone", "unclean")


async def test_files_of_what_stays_anyway_are_not_looked_at(place: Place, tmp_path: Path) -> None:
    remote_of(place, tmp_path)
    records = {}
    for name in ("fresh", "merged", "dirty", "pushed", "open", "open-dirty"):
        record = await create_worktree(place.repository, tmp_path / "worktrees", name=name)
        records[record.metadata] = record
        other = Place(place.repository, record)
        if name != "fresh":
            commit(other, name)
        if name in {"merged", "dirty"}:
            git(place.folder, "merge", "-q", "--no-edit", str(record.branch))
        if name == "pushed":
            other.git("push", "-q", "-u", "origin", str(record.branch))
        if name.endswith("dirty"):
            (other.path / "unsaved").write_text("x")
    listed = await survey_of(place.repository, records).listed()
    survey = survey_of(place.repository, records)
    found = await survey.removable()
    assert [status.name for status in found] == ["fresh", "merged", "pushed", "work"]
    assert found == [status for status in listed if status.status != "unclean"]
    assert {folder.name for folder in survey._looks} == {
        "dirty",
        "fresh",
        "merged",
        "pushed",
        "work",
    }


async def test_a_stash_of_its_task_keeps_pushed_work_from_being_clean(
    place: Place, tmp_path: Path
) -> None:
    remote_of(place, tmp_path)
    commit(place)
    place.git("push", "-q", "-u", "origin", "ctui/work")
    other = git(place.folder, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Empty")
    (place.path / "stashed").write_text("x")
    place.git("add", "stashed")
    stash = place.git("stash", "create")
    place.git("reset", "-q", "--hard")
    records = {place.record.metadata: place.record}
    also = {place.record.metadata: (("stash 1234567", stash), ("branch side", other))}
    survey = survey_of(place.repository, records)
    survey._also = also
    status = await survey.one(place.metadata)
    assert status.status == "unclean"


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        ("merge", [["merge", "side"]]),
        ("rebase", [["rebase", "side"]]),
        ("cherry-pick", [["cherry-pick", "side"]]),
        ("revert", [["revert", "--no-edit", "HEAD~1"]]),
        ("bisect", [["bisect", "start"], ["bisect", "bad"]]),
    ],
)
async def test_what_it_is_in_the_middle_of(
    place: Place, state: str, commands: list[list[str]]
) -> None:
    git(place.folder, "branch", "side")
    for text in ("one\n", "two\n"):
        (place.path / "hello.txt").write_text(text)
        place.git("commit", "-q", "-a", "-m", text)
    git(place.folder, "worktree", "add", "-q", str(place.path.parent / "side"), "side")
    side = place.path.parent / "side"
    (side / "hello.txt").write_text("side\n")
    git(side, "commit", "-q", "-a", "-m", "Side")
    for command in commands:
        _try(place.path, command)
    status = await place.look()
    assert status.state == state
    if state != "bisect":
        assert status.changes is not None
        assert status.changes.conflicted == 1


def _try(folder: Path, command: list[str]) -> None:
    """A git that may end with a conflict."""
    with suppress(subprocess.CalledProcessError):
        git(folder, "-c", "core.editor=:", *command)


async def test_a_commit_between_proof_and_look_is_proven_too(place: Place) -> None:
    asked: list[str] = []
    committed = asyncio.Event()

    async def prove(works: Sequence[Work]) -> list[Proof]:
        asked.extend(work.tip for work in works)
        if len(asked) == 1:
            commit(place)
            committed.set()
        return [Proof(Verdict("no-commits", work.tip)) for work in works]

    # It is looked at when the commit is there already.
    class Late(Survey):
        async def _look(self, metadata: Path, path: Path) -> GitStatus | None:
            await committed.wait()
            return await super()._look(metadata, path)

    records = {place.record.metadata: place.record}
    status = await Late(place.repository, prove, records=records).one(place.metadata)
    assert len(asked) == 2
    assert status.head == asked[1] == status.verdict.evidence


async def test_a_known_look_is_not_repeated_unless_its_commit_moved(
    place: Place,
) -> None:
    looks: dict[Path, GitStatus] = {}
    records = {place.record.metadata: place.record}

    async def listed(*, again: bool) -> WorktreeStatus:
        survey = Survey(place.repository, unproven, records=records, looks=looks)
        (status,) = [status async for status in survey.all(again=again)]
        return status

    await listed(again=True)
    (place.path / "untracked").write_text("")
    known = await listed(again=False)
    assert known.changes is not None
    assert not known.changes.any
    commit(place)
    moved = await listed(again=False)
    assert moved.changes is not None
    assert moved.changes.untracked == 1


async def test_a_list_is_proven_at_once_and_a_view_in_portions_that_double(
    place: Place, tmp_path: Path
) -> None:
    """Each portion reads the target's history, so a hundred must not come by few."""
    for number in range(4):
        await create_worktree(place.repository, tmp_path / "worktrees", name=f"w{number}")
    asked: list[tuple[bool, ...]] = []

    async def prove(works: Sequence[Work]) -> list[Proof]:
        asked.append(tuple(work.outlook for work in works))
        return await unproven(works)

    survey = Survey(place.repository, prove)
    assert len([status async for status in survey.all(portion=1)]) == 5
    assert [len(works) for works in asked] == [1, 2, 2]
    asked.clear()
    assert len(await survey.listed()) == 5
    await survey.removable()
    assert asked == [(True,) * 5, (False,) * 5]


async def test_one_that_cannot_be_looked_at_hides_no_other(place: Place, tmp_path: Path) -> None:
    other = await create_worktree(place.repository, tmp_path / "worktrees", name="other")
    (place.metadata / "index").write_bytes(b"DIRC nonsense")
    records = {record.metadata: record for record in (place.record, other)}
    broken, fine = sorted(
        await survey_of(place.repository, records).listed(),
        key=lambda status: status.name == "other",
    )
    assert (broken.problem, broken.status) == ("unreadable", "unclean")
    assert (fine.problem, fine.status) == (None, "clean")


async def test_a_filter_of_the_person_never_runs(place: Place, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    git(place.folder, "config", "filter.x.clean", f"touch {touched}; cat")
    (place.path / ".gitattributes").write_text("* filter=x\n")
    (place.path / "hello.txt").write_text("changed\n")
    status = await place.look()
    assert status.status == "unclean"
    assert not touched.exists()


async def test_an_adopted_worktree_without_commits_of_its_own(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "plain"), "-b", "plain")
    found: Repository = open_repository(repository)
    (status,) = await survey_of(found).listed()
    assert (status.verdict.kind, status.status) == ("no-commits", "clean")
    record = WorktreeRecord(
        name="plain",
        path=str(tmp_path / "plain"),
        repository=str(found.common_dir),
        metadata=status.metadata,
        device=(tmp_path / "plain").stat().st_dev,
        inode=(tmp_path / "plain").stat().st_ino,
        branch="plain",
        base=None,
        created=0,
    )
    assert (await worktree_status(found, record)).verdict.kind == "no-commits"
    git(tmp_path / "plain", "commit", "-q", "--allow-empty", "-m", "Own")
    assert (await worktree_status(found, record)).verdict.kind == "empty"
