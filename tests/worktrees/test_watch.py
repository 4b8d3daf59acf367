"""Changes are noticed: of git's state everywhere, of files where somebody looks."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctui.worktrees import watch
from ctui.worktrees.watch import WorktreeWatch, budget, tracked_folders
from tests.conftest import git
from tests.worktrees.conftest import Place

_PATIENCE = 20


class Notices:
    """What a watch told."""

    def __init__(self, place: Place) -> None:
        self._told: asyncio.Queue[Path | None] = asyncio.Queue()
        self.watch = WorktreeWatch(place.repository.common_dir, self._told.put_nowait)

    async def until(self, wanted: Path | None) -> None:
        async with asyncio.timeout(_PATIENCE):
            while await self._told.get() != wanted:
                pass

    async def watching(self, place: Place) -> None:
        """Until the watch has begun: touch something until it is told."""
        async with asyncio.timeout(_PATIENCE):
            while self._told.empty():
                (place.metadata / "touched").write_text("")
                await asyncio.sleep(0.05)
        (place.metadata / "touched").unlink()

    def forget(self) -> None:
        while not self._told.empty():
            self._told.get_nowait()


@pytest.fixture
async def notices(place: Place) -> AsyncIterator[Notices]:
    found = Notices(place)
    job = asyncio.create_task(found.watch.run())
    try:
        await found.watching(place)
        yield found
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def test_a_commit_is_noticed_without_a_watch_on_files(place: Place, notices: Notices) -> None:
    place.git("commit", "-q", "--allow-empty", "-m", "New")
    await notices.until(place.metadata)
    await notices.until(None)


async def test_an_edit_is_noticed_where_somebody_looks(place: Place, notices: Notices) -> None:
    (place.path / "deep" / "er").mkdir(parents=True)
    (place.path / "deep" / "er" / "file").write_text("x")
    place.git("add", ".")
    notices.watch.focus({place.metadata: place.path})
    async with asyncio.timeout(_PATIENCE):
        number = 0
        while True:  # until the new watches stand
            number += 1
            notices.forget()
            (place.path / "deep" / "er" / "file").write_text(str(number))
            try:
                await asyncio.wait_for(notices.until(place.metadata), 0.3)
            except TimeoutError:
                continue
            break


async def test_a_new_worktree_is_noticed(place: Place, notices: Notices, tmp_path: Path) -> None:
    git(place.folder, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    await notices.until(None)


async def test_folders_behind_links_are_not_watched(place: Place) -> None:
    (place.path / "real").mkdir()
    (place.path / "real" / "file").write_text("")
    (place.path / "trap").mkdir()
    (place.path / "trap" / "file").write_text("")
    place.git("add", ".")
    (place.path / "trap" / "file").unlink()
    (place.path / "trap").rmdir()
    (place.path / "trap").symlink_to("/etc")
    assert await tracked_folders(place.metadata, place.path) == [place.path, place.path / "real"]


def test_the_budget_leaves_most_watches_to_others() -> None:
    assert 0 < budget() <= 20_000


async def test_where_nothing_can_be_watched_nothing_breaks(tmp_path: Path) -> None:
    """A process of this user, also in a task, can take all of the kernel's watchers that it has."""
    import watchfiles  # noqa: F401 - opens its files before there are none left

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))  # the same error (EMFILE)
        watching = watch._changes([tmp_path], asyncio.Event(), recursive=False)
        seen = [changes async for changes in watching]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not seen
