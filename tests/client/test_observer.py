"""The observer tells what is there, what changes, and what goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ctui.client.worktrees.observer import Observation, Observer
from ctui.client.worktrees.worktrees import make_worktree
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths, private_folder
from ctui.worktrees.model import WorktreeRecord
from tests.conftest import git

_PATIENCE = 30


class Watcher:
    """An observer at work, and what it told so far."""

    def __init__(self, paths: Paths, repository: Path) -> None:
        self._told: asyncio.Queue[Observation] = asyncio.Queue()
        self.observer = Observer(paths, repository / ".git", self._told.put_nowait)

    async def until(self, wanted: Callable[[Observation], bool]) -> Observation:
        async with asyncio.timeout(_PATIENCE):
            while not wanted(seen := await self._told.get()):
                pass
            return seen


@pytest.fixture
async def record(paths: Paths, repository: Path) -> WorktreeRecord:
    private_folder(paths.state)
    found = open_repository(repository)
    return await make_worktree(paths, found, prefix="ctui/", name="work", base="HEAD")


@pytest.fixture
async def watcher(
    paths: Paths,
    repository: Path,
    record: WorktreeRecord,  # noqa: ARG001 - it is there before somebody looks
) -> AsyncIterator[Watcher]:
    found = Watcher(paths, repository)
    job = asyncio.create_task(found.observer.run())
    try:
        yield found
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


def status_of(seen: Observation) -> dict[str, str]:
    return {status.name: status.status for status in seen.statuses}


async def test_all_is_told_first_then_what_changes(
    watcher: Watcher, record: WorktreeRecord, repository: Path
) -> None:
    first = await watcher.until(lambda seen: seen.complete)
    assert status_of(first) == {"work": "clean"}
    assert first.distance == (0, 0)
    assert first.target == "main"
    watcher.observer.attend([record.path], [record.path])
    watcher.observer.look(record.path)
    (Path(record.path) / "new").write_text("x")
    watcher.observer.look(record.path)
    await watcher.until(lambda seen: status_of(seen) == {"work": "unclean"})
    git(repository, "worktree", "add", "-q", "-b", "other", str(repository.parent / "other"))
    await watcher.until(lambda seen: seen.complete and len(seen.statuses) == 2)
    git(repository, "worktree", "remove", "--force", record.path)
    gone = await watcher.until(lambda seen: seen.complete and len(seen.statuses) == 1)
    assert status_of(gone) == {"other": "clean"}


async def test_a_target_that_moves_has_everything_proven_again(
    watcher: Watcher, record: WorktreeRecord, repository: Path
) -> None:
    worktree = Path(record.path)
    (worktree / "new").write_text("x")
    git(worktree, "add", ".")
    git(worktree, "commit", "-q", "-m", "New")
    await watcher.until(lambda seen: status_of(seen) == {"work": "unclean"})
    git(repository, "merge", "-q", "--squash", str(record.branch))
    git(repository, "commit", "-q", "-m", "Squashed")
    await watcher.until(lambda seen: status_of(seen) == {"work": "merged"})
