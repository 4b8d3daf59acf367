"""Adoption of the older layout: `.trash/<id>/{worktree, entry.json}` beside a worktree.

Its entries get a record like all others; their files stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui.errors import CtuiError
from ctui.git.repository.repository import Repository
from ctui.worktrees.trash import branches
from ctui.worktrees.trash.entries import (
    BranchRecord,
    TrashEntry,
    TrashRecord,
    trash_folder,
    write_record,
)
from ctui.worktrees.trash.renames import to_be_moved

_OLD_TRASH = ".trash"


def take_over_old_entries(repository: Repository) -> None:
    """Write records of all old entries of a repository. The caller must hold the trash's lock."""
    for place, entry in _old_entries(repository):
        with suppress(OSError, CtuiError):
            _take_over(repository, place, entry)


def _old_entries(repository: Repository) -> Iterator[tuple[Path, TrashEntry]]:
    """Yield the entries of the older layout."""
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
    """Write a record of an old entry; its metadata may still be where git keeps it."""
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
