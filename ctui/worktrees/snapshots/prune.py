"""Snapshots that are old, or that take too much room, go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from ctui.file_lock import FileLock
from ctui.worktrees.snapshots.repository import INDEXED, LAST, SnapshotRepository

_DAY = 86_400
_TRIES = 8


async def prune(snapshots: SnapshotRepository, *, days: int, limit: int) -> int:
    """Delete snapshots that are older, and then the oldest until the rest fits.

    The newest stays. Whoever takes one meanwhile is not waited for: the next time comes.

    Args:
        snapshots: of a worktree.
        days: age beyond which they go; 0 keeps them.
        limit: bytes of their repository; 0 is no limit.

    Returns:
        the number of names that went.

    Raises:
        CtuiError: git failed.
    """
    lock = FileLock(snapshots.folder / "lock")
    if not (snapshots.folder / "HEAD").is_file() or not await lock.wait(0.0):
        return 0
    with lock:
        ages = await _ages(snapshots)
        before = time.time_ns() // 10**9 - days * _DAY
        old = [name for name, at in ages.items() if days and at < before]
        gone = await _delete(snapshots, old)
        for _ in range(_TRIES):
            names = [name for name in ages if name not in gone]
            if not limit or not names or await _size(snapshots) <= limit:
                break
            gone |= await _delete(snapshots, names[: max(1, len(names) // 4)])
        return len(gone)


async def _ages(snapshots: SnapshotRepository) -> Mapping[str, int]:
    """Return the refs of snapshots with their times in seconds, oldest first, without the newest.

    There may be any number of them, and this is asked at the end of each turn: one process it is.
    """
    last = snapshots.ref(LAST)
    said = await snapshots.git(
        "for-each-ref",
        "--format=%(committerdate:unix) %(objectname) %(refname)",
        *("--sort=refname", "--sort=committerdate"),
    )
    listed = (line.split(" ") for line in said.stdout.decode("ascii", "replace").splitlines())
    return {
        name: int(at)
        for at, commit, name in listed
        if at.isdigit() and name not in {LAST, INDEXED} and commit != last
    }


async def _delete(snapshots: SnapshotRepository, names: list[str]) -> set[str]:
    if names:
        snapshots.delete_refs(names)
        # Not `gc`, which packs refs.
        await snapshots.git("repack", "-a", "-d", "-l", "-q")
        await snapshots.git("prune", "--expire=now")
    return set(names)


async def _size(snapshots: SnapshotRepository) -> int:
    def measure() -> int:
        files = (path for path in (snapshots.folder / "objects").rglob("*") if path.is_file())
        return sum(path.stat().st_blocks * 512 for path in files)

    return await asyncio.to_thread(measure)
