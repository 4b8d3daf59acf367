"""What a crash left in the middle is ended, and what an older layout has is taken over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui.errors import CtuiError
from ctui.git.repository import Repository
from ctui.worktrees import branches
from ctui.worktrees.moves import to_be_moved
from ctui.worktrees.removal import put_back_interrupted
from ctui.worktrees.restore import Restored, finish_restore
from ctui.worktrees.trash import (
    BranchRecord,
    TrashEntry,
    TrashRecord,
    records,
    trash_folder,
    trash_turn_if_free,
    write_record,
)

_LISTED = frozenset({"removed", "restoring"})
_OLD_TRASH = ".trash"


async def trash_entries(repository: Repository) -> list[TrashEntry]:
    """Everything of a repository that can be restored, oldest first."""
    await _recover(repository, restores=False)
    return [record.entry for record in records(repository) if record.stage in _LISTED]


async def recover(repository: Repository) -> list[Restored]:
    """End every removal and restore whose process is gone. Does nothing while another one works.

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
    async with trash_turn_if_free(repository) as ours:
        if not ours:
            return []
        for unfinished in trash_folder(repository).glob("*.new"):
            unfinished.unlink()
        for place, entry in _old_entries(repository):
            with suppress(OSError, CtuiError):
                _take_over(repository, place, entry)
        await put_back_interrupted(repository)
        for record in records(repository) if restores else ():
            if record.stage in {"restoring", "restored"}:
                with suppress(CtuiError):
                    finished.append(await finish_restore(repository, record))
    return finished


def _old_entries(repository: Repository) -> Iterator[tuple[Path, TrashEntry]]:
    """Entries of the layout that kept `.trash/<id>/{worktree, entry.json}` beside a worktree."""
    holders = {
        Path(link.read_text(errors="surrogateescape").rstrip("\n")).parent.parent / _OLD_TRASH
        for folder in (trash_folder(repository), repository.common_dir / "worktrees")
        for link in folder.glob("*/gitdir")
    }
    for place in (path.parent for holder in holders for path in holder.glob("*/entry.json")):
        with suppress(OSError, msgspec.DecodeError):
            entry = msgspec.json.decode((place / "entry.json").read_bytes(), type=TrashEntry)
            if entry.repository == str(repository.common_dir) and (place / "worktree").is_dir():
                yield place, entry


def _take_over(repository: Repository, place: Path, entry: TrashEntry) -> None:
    """Write a record of an old entry; its metadata may have been left where git keeps it."""
    worktree = place / "worktree"
    moved_metadata = trash_folder(repository) / entry.id
    metadata = moved_metadata if moved_metadata.is_dir() else Path(entry.metadata)
    branch = None
    if entry.branch is not None:
        on_it = branches.checked_out(metadata) == entry.branch
        branch = BranchRecord(name=entry.branch, tip=entry.head, checked_out=on_it)
    parts = (
        (to_be_moved("metadata", metadata, moved_metadata), entry.metadata),
        (to_be_moved("worktree", worktree, worktree), entry.path),
    )
    record = TrashRecord(
        stage="removed" if metadata == moved_metadata else "removing",
        entry=msgspec.structs.replace(entry, place=str(worktree)),
        moved=[msgspec.structs.replace(moved, source=source) for moved, source in parts],
        branch=branch,
    )
    write_record(repository, record)
    (place / "entry.json").unlink()
