"""The content of the trash, after completing everything that a crash interrupted."""

from __future__ import annotations

from contextlib import suppress

from ctui.errors import CtuiError, Unavailable
from ctui.git.repository.repository import Repository
from ctui.worktrees.trash.entries import (
    TrashEntry,
    records,
    trash_folder,
)
from ctui.worktrees.trash.lock import trash_lock
from ctui.worktrees.trash.old_trash import take_over_old_entries
from ctui.worktrees.trash.removal import put_back_interrupted
from ctui.worktrees.trash.restore import Restored, finish_restore

_LISTED = frozenset({"checked", "removed", "restoring"})
_AT_REST = frozenset({"removed", "purging"})
_MOMENT_SECONDS = 2.0


async def trash_entries(repository: Repository) -> list[TrashEntry]:
    """Return everything of a repository that can be restored, oldest first."""
    await _recover(repository, restores=False)
    return [record.entry for record in records(repository) if record.stage in _LISTED]


async def recover(repository: Repository) -> list[Restored]:
    """Complete every removal and restore whose process is gone; wait a moment for a running one.

    A removal that was cut off before its last check is undone; a restore is completed. An entry
    that is in the way of that stays in the trash.

    Returns:
        the worktrees that a restore has brought back, for the caller to keep their records.
    """
    return await _recover(repository, restores=True)


async def _recover(repository: Repository, *, restores: bool) -> list[Restored]:
    if not trash_folder(repository).is_dir():
        return []
    finished: list[Restored] = []
    busy = any(record.stage not in _AT_REST for record in records(repository))
    # If another process holds the lock, it recovers everything itself and is soon done.
    with suppress(Unavailable):
        async with trash_lock(repository, patience=_MOMENT_SECONDS if busy else 0):
            for unfinished in trash_folder(repository).glob("*.new"):
                unfinished.unlink()
            take_over_old_entries(repository)
            await put_back_interrupted(repository)
            for record in records(repository) if restores else ():
                if record.stage in {"restoring", "restored"}:
                    with suppress(CtuiError, OSError):
                        finished.append(await finish_restore(repository, record))
    return finished
