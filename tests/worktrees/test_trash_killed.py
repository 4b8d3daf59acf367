"""kill -9 at every step of removal, restore, purge and recovery."""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path

import msgspec
import pytest

from ctui.worktrees.create import create_worktree
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.trash.entries import TrashEntry, records
from ctui.worktrees.trash.purge import purge
from ctui.worktrees.trash.recovery import recover, trash_entries
from ctui.worktrees.trash.restore import restore_worktree
from tests.worktrees.conftest import Place
from tests.worktrees.killer import Killer
from tests.worktrees.snapshot import Snapshot, collect_garbage, is_whole, pins, snapshot

pytestmark = pytest.mark.slow

_STRIDES = pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.soak)])
"""From one step to the next at which it is killed."""
_LOG = logging.getLogger(__name__)


class Victim:
    """A worktree with something to lose, and a companion."""

    def __init__(self, place: Place, companion: Path) -> None:
        self.place, self.companion = place, companion
        companion.mkdir(parents=True)
        (companion / "HEAD").write_text("x")
        path = place.path
        place.git("commit", "-q", "--allow-empty", "-m", "Amended away")
        place.git("commit", "-q", "--amend", "--allow-empty", "-m", "Own work")
        place.git("config", "branch.ctui/work.description", "text")
        (path / "staged").write_text("only in the index")
        place.git("add", "staged")
        (path / "staged").write_text("later")
        (path / "folder" / "inner").mkdir(parents=True)
        (path / "folder" / "inner" / "untracked").write_text("x")

    @property
    def request(self) -> dict[str, object]:
        record = msgspec.to_builtins(self.place.record)
        return {
            "repository": str(self.place.folder),
            "record": json.loads(json.dumps(record)),
            "companions": [str(self.companion)],
        }

    def snapshot(self) -> Snapshot:
        return snapshot(self.place.path, self.companion)

    async def remove(self) -> TrashEntry:
        return await self.place.remove(delete_branch=True, companions=[self.companion])

    async def bring_back(self) -> bool:
        """Let the next one recover, and restore what is in the trash; False if nothing was."""
        await recover(self.place.repository)
        entries = await trash_entries(self.place.repository)
        assert len(entries) == (not self.place.path.exists())
        for entry in entries:
            await restore_worktree(self.place.repository, entry.id)
        return bool(entries)


@pytest.fixture
def victim(place: Place, tmp_path: Path) -> Victim:
    return Victim(place, tmp_path / "task" / "git")


def _contents(walked: dict[bytes, tuple[object, ...]]) -> dict[bytes, object]:
    return {name: content for name, (_, _, content, _) in walked.items()}


def _nothing_is_left(victim: Victim) -> None:
    assert records(victim.place.repository) == []
    assert pins(victim.place.folder) == []
    assert list(victim.place.path.parent.glob(".ctui-trash*")) == []
    assert list(victim.companion.parent.glob(".ctui-trash*")) == []


@_STRIDES
async def test_a_removal_killed_at_any_step(victim: Victim, killer: Killer, stride: int) -> None:
    before = victim.snapshot()
    steps, found = 0, set[bool]()
    while killer.run("remove", at=steps + 1, **victim.request).killed:
        steps += stride
        found.add(await victim.bring_back())
        assert victim.snapshot() == before, f"killed at step {steps}"
        _nothing_is_left(victim)
    assert await victim.bring_back()
    assert victim.snapshot() == before
    assert found == {False, True}
    _LOG.info("%d steps", steps)
    assert steps > 25


@_STRIDES
async def test_a_removal_killed_at_any_step_and_garbage_collected_before_anybody_looks(
    victim: Victim, killer: Killer, stride: int
) -> None:
    collect_garbage(victim.place.folder)  # normalises reflogs, once
    before = victim.snapshot()
    steps = 0
    while killer.run("remove", at=steps + 1, **victim.request).killed:
        steps += stride
        collect_garbage(victim.place.folder)
        await victim.bring_back()
        now = victim.snapshot()
        # In a worktree that is in its place, git's own gc writes the reflog anew.
        assert now._replace(metadata={}) == before._replace(metadata={}), f"killed at step {steps}"
        assert _contents(now.metadata) == _contents(before.metadata), f"killed at step {steps}"
        is_whole(victim.place.path)
    _LOG.info("%d steps", steps)
    assert steps > 25


@_STRIDES
async def test_a_restore_killed_at_any_step(victim: Victim, killer: Killer, stride: int) -> None:
    before = victim.snapshot()
    steps = 0
    while True:
        entry = await victim.remove()
        request = {"repository": str(victim.place.folder), "entry": entry.id}
        if not killer.run("restore", at=steps + 1, **request).killed:
            break
        steps += stride
        await victim.bring_back()
        assert victim.snapshot() == before, f"killed at step {steps}"
        _nothing_is_left(victim)
    assert victim.snapshot() == before
    _LOG.info("%d steps", steps)
    assert steps > 15


@_STRIDES
async def test_a_restore_under_another_name_killed_at_any_step(
    victim: Victim, killer: Killer, stride: int
) -> None:
    place, steps = victim.place, 0
    status = place.git("status", "--porcelain=v2", "-z")
    while True:
        entry = await victim.remove()
        place.path.mkdir()
        place.metadata.mkdir(parents=True)
        request = {"repository": str(place.folder), "entry": entry.id}
        killed = killer.run("restore", at=steps + 1, **request).killed
        await recover(place.repository)
        for entry in await trash_entries(place.repository):
            await restore_worktree(place.repository, entry.id)
        other = place.path.with_name("work-restored")
        moved = Place(
            place.repository,
            msgspec.structs.replace(
                place.record,
                name=other.name,
                path=str(other),
                metadata=str(place.metadata.with_name("work-restored")),
            ),
        )
        assert (moved.git("status", "--porcelain=v2", "-z"), (await moved.look()).problem) == (
            status,
            None,
        ), f"killed at step {steps + 1}"
        _nothing_is_left(victim)
        place.path.rmdir()
        place.metadata.rmdir()
        # Back to where it was: what a person would do by hand.
        place.folder.joinpath(".git", "worktrees", "work-restored").rename(place.metadata)
        other.rename(place.path)
        (place.metadata / "gitdir").write_text(f"{place.path}/.git\n")
        (place.path / ".git").write_text(f"gitdir: {place.metadata}\n")
        if not killed:
            break
        steps += stride
    _LOG.info("%d steps", steps)
    assert steps > 20


@_STRIDES
async def test_a_purge_killed_at_any_step_goes_on(
    place: Place, killer: Killer, stride: int
) -> None:
    steps, done = 0, False
    while not done:
        numbered = Place(place.repository, await _another(place, steps))
        victim = Victim(numbered, numbered.path.parent / f"task-{steps}" / "git")
        before = victim.snapshot()
        await victim.remove()
        done = not killer.run("purge", at=steps + 1, repository=str(place.folder)).killed
        steps += 0 if done else stride
        if await trash_entries(place.repository):
            await victim.bring_back()
            assert victim.snapshot() == before, f"killed at step {steps}"
            await victim.remove()
        await purge(place.repository, older_than=0)
        _nothing_is_left(victim)
        assert list(victim.companion.parent.iterdir()) == []
    _LOG.info("%d steps", steps)
    assert steps > 25


async def _another(place: Place, number: int) -> WorktreeRecord:
    worktrees = place.path.parent.parent
    return await create_worktree(place.repository, worktrees, name=f"n{number}", prefix="n/")


@pytest.mark.soak
async def test_a_recovery_killed_at_any_step_after_a_kill_at_any_step(
    victim: Victim, killer: Killer
) -> None:
    before = victim.snapshot()
    for operation in ("remove", "restore"):
        first = 0
        while True:
            request = victim.request
            if operation == "restore":
                request["entry"] = (await victim.remove()).id
            if not killer.run(operation, at=first + 1, **request).killed:
                break
            first, second = first + 1, 0
            while killer.run("recover", at=second + 1, **victim.request).killed:
                second += 1
            await victim.bring_back()
            assert victim.snapshot() == before, f"{operation} killed at {first}, then at {second}"
            _nothing_is_left(victim)
        await victim.bring_back()


@pytest.mark.soak
@pytest.mark.parametrize("operation", ["remove", "restore"])
async def test_killed_at_any_moment(victim: Victim, killer: Killer, operation: str) -> None:
    """Not only between steps: also while a git of ours runs, which then goes on without us."""
    before = victim.snapshot()
    randomness = random.Random(2026)  # noqa: S311 - moments, not secrets
    for _ in range(300):
        request = victim.request
        if operation == "restore":
            request["entry"] = (await victim.remove()).id
        killer.run(operation, seconds=randomness.uniform(0.001, 0.15), **request)
        await victim.bring_back()
        assert victim.snapshot() == before
