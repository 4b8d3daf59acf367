"""Exact restoration of a worktree, under another name if its own is taken."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.errors import Conflict, CtuiError, NotFound, Unavailable
from ctui.git.names import branch_conflicts
from ctui.git.process.process import to_the_end
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.trash import branches
from ctui.worktrees.trash.entries import (
    BranchRecord,
    Moved,
    TrashEntry,
    TrashRecord,
    Way,
    forget_record,
    make_holder,
    read_record,
    tidy_holder,
    write_record,
)
from ctui.worktrees.trash.keep_refs import delete_keep_refs
from ctui.worktrees.trash.links import Ends, adapt_links, write_file
from ctui.worktrees.trash.lock import trash_lock
from ctui.worktrees.trash.old_trash import take_over_old_entries
from ctui.worktrees.trash.removal import put_back_interrupted
from ctui.worktrees.trash.renames import is_at, rename_moved


class Restored(NamedTuple):
    """Worktree that was restored."""

    entry: TrashEntry
    path: str
    branch: str | None
    notes: list[str]
    """Differences from its former state, a sentence each."""
    record: WorktreeRecord | None
    """Ctui's own record of it, brought up to date."""


async def restore_worktree(repository: Repository, entry_id: str) -> Restored:
    """Put a worktree back where it was, with its metadata, branch and companions.

    If its path is taken it comes back as `<name>-restored`; if its branch moved or is checked out
    elsewhere, on a new branch `<branch>-restored` at the recorded commit.

    Raises:
        NotFound: there is no such entry, or its files are gone from the trash.
        Conflict: it is being purged, or something is in the way.
        Unavailable, ExternalFailure: the disk or git failed; it stays in the trash.
    """
    async with trash_lock(repository):
        take_over_old_entries(repository)
        await put_back_interrupted(repository)
        record = read_record(repository, entry_id)
        if record.stage == "purging":
            raise Conflict(f"{entry_id} is being deleted", hint="it cannot be restored any more")
        if record.stage in {"removed", "checked"}:
            _require_whole(record)
            way = await _decide(repository, record)
            record = msgspec.structs.replace(record, stage="restoring", way=way)
            write_record(repository, record)
        return await to_the_end(finish_restore(repository, record))


async def finish_restore(repository: Repository, record: TrashRecord) -> Restored:
    """Carry out a restore that was decided, also one that a crash interrupted at any step.

    Raises:
        CtuiError: something is in the way; it is in the trash again.
    """
    way = record.way
    assert way is not None  # noqa: S101 - it is written together with the stage
    if record.stage == "restoring":
        try:
            await _bring_back(repository, record, way)
        except (CtuiError, OSError) as error:
            await _take_back(repository, record, way)
            if isinstance(error, OSError):
                raise Unavailable(f"{way.path} cannot be restored: {error.strerror}") from error
            raise
        record = msgspec.structs.replace(record, stage="restored")
        write_record(repository, record)
    # The refs are deleted last, because they keep the objects until the files are back.
    await delete_keep_refs(repository, record.entry.id)
    for moved in record.moved:
        tidy_holder(Path(moved.target).parent)
    forget_record(repository, record)
    return Restored(record.entry, way.path, way.branch, way.notes, _record_now(record, way))


async def _decide(repository: Repository, record: TrashRecord) -> Way:
    entry, notes = record.entry, list[str]()
    old_path, old_metadata = Path(entry.path), Path(entry.metadata)
    path = old_path if record.part("worktree") is None else _free(old_path)
    metadata = _free(old_metadata)
    if path != old_path:
        notes.append(f"{one_line(entry.path, 200)} is taken: it is at {one_line(str(path), 200)}")
    for moved in record.moved:
        if moved.part == "companion" and not is_at(Path(moved.target), moved):
            notes.append(f"{one_line(moved.source, 200)} is not in the trash any more")
    branch = record.branch
    name, create = branch.name if branch and branch.checked_out else None, None
    if branch is not None:
        name, create, note = await _decide_branch(repository, branch)
        notes += [note] if note else []
    return Way(path=str(path), metadata=str(metadata), branch=name, create=create, notes=notes)


async def _decide_branch(
    repository: Repository, branch: BranchRecord
) -> tuple[str | None, str | None, str]:
    """Return what HEAD is to name, the branch that must be made for it, and the person's notes."""
    known = await branches.heads(repository)
    current, shown = known.get(branch.name), one_line(branch.name)
    name = branch.name if branch.checked_out else None
    elsewhere = branches.used_by(repository, branch.name)
    absent = current is None and not branch_conflicts(branch.name, known)
    if elsewhere is None and (current == branch.tip or absent):
        create = branch.name if current != branch.tip else None
        told = create is not None and not branch.deleted
        return name, create, f"the branch {shown} was gone, and is made again" if told else ""
    why = "is checked out elsewhere" if elsewhere else "is at another commit by now"
    why = why if current is not None or elsewhere else "cannot be made beside those that exist"
    if not branch.checked_out:
        return None, None, f"the branch {shown} {why}"
    other = _free_name(f"{branch.name}-restored", lambda name: branch_conflicts(name, known))
    create = other if branch.tip else None
    return other, create, f"{shown} {why}: the worktree is on {one_line(other)}"


async def _bring_back(repository: Repository, record: TrashRecord, way: Way) -> None:
    branch = record.branch
    if way.create is not None and branch is not None:
        await branches.make_branch(repository, way.create, branch)
    metadata, worktree = record.part("metadata"), record.part("worktree")
    assert metadata is not None  # noqa: S101 - every entry has it
    destinations = _destinations(record, way)
    if not is_at(Path(way.metadata), metadata):
        # As long as the metadata lies in the trash, no other git finds a half-made worktree.
        now = Ends(_place_now(worktree, way.path), Path(metadata.target))
        await adapt_links(repository, now, _recorded(record), _ends(way), record.entry.id)
        _name_branch(now.metadata, record, way.branch)
    for moved, destination in destinations:
        destination.parent.mkdir(parents=True, exist_ok=True)
        rename_moved(moved, Path(moved.target), destination)


async def _take_back(repository: Repository, record: TrashRecord, way: Way) -> None:
    """Put everything into the trash again, with the links that it had."""
    for moved, destination in reversed(_destinations(record, way)):
        if is_at(destination, moved):
            make_holder(Path(moved.target).parent)
            rename_moved(moved, destination, Path(moved.target))
    metadata, worktree = record.part("metadata"), record.part("worktree")
    if metadata is not None and is_at(Path(metadata.target), metadata):
        now = Ends(Path(worktree.target if worktree else way.path), Path(metadata.target))
        await adapt_links(repository, now, _ends(way), _recorded(record), record.entry.id)
        _name_branch(now.metadata, record, record.branch.name if record.branch else None)
    if way.create is not None and record.branch is not None:
        # Without this, the next restore would take it for an older branch and keep its settings.
        made = msgspec.structs.replace(record.branch, name=way.create)
        await branches.delete_branch(repository, made)
    write_record(repository, msgspec.structs.replace(record, stage="removed", way=None))


def _destinations(record: TrashRecord, way: Way) -> list[tuple[Moved, Path]]:
    """Return the moves with the metadata last: git lists a worktree as soon as that is there."""
    places = {"worktree": way.path, "metadata": way.metadata}
    found = [
        (moved, Path(places.get(moved.part, moved.source))) for moved in reversed(record.moved)
    ]
    # A missing companion does not stop the restore; the person was told of it.
    return [
        (moved, path)
        for moved, path in found
        if moved.part != "companion" or is_at(Path(moved.target), moved) or is_at(path, moved)
    ]


def _name_branch(metadata: Path, record: TrashRecord, branch: str | None) -> None:
    on_branch = record.branch is not None and record.branch.checked_out
    if on_branch and branch is not None and branches.checked_out(metadata) != branch:
        write_file(metadata / "HEAD", f"ref: refs/heads/{branch}\n", record.entry.id)


def _require_whole(record: TrashRecord) -> None:
    for moved in record.moved:
        if moved.part != "companion" and not is_at(Path(moved.target), moved):
            raise NotFound(
                f"{one_line(moved.target, 200)} is not in the trash any more",
                hint=f"git branch NAME refs/ctui/trash/{record.entry.id}/head has its commits",
            )


def _recorded(record: TrashRecord) -> Ends:
    return Ends(Path(record.entry.path), Path(record.entry.metadata))


def _ends(way: Way) -> Ends:
    return Ends(Path(way.path), Path(way.metadata))


def _place_now(worktree: Moved | None, path: str) -> Path:
    there = worktree is not None and is_at(Path(worktree.target), worktree)
    return Path(worktree.target) if worktree is not None and there else Path(path)


def _record_now(record: TrashRecord, way: Way) -> WorktreeRecord | None:
    old = record.entry.record
    if old is None:
        return None
    path, worktree = Path(way.path), record.part("worktree")
    renamed = path.name if old.name == Path(old.path).name else old.name
    status = path.lstat() if worktree is not None and is_at(path, worktree) else None
    return msgspec.structs.replace(
        old,
        name=renamed,
        path=way.path,
        metadata=way.metadata,
        branch=way.branch if way.branch is not None else old.branch,
        device=status.st_dev if status else old.device,
        inode=status.st_ino if status else old.inode,
    )


def _free(path: Path) -> Path:
    if not path.exists() and not path.is_symlink():
        return path
    taken: Collection[str] = {other.name.lower() for other in path.parent.iterdir()}
    return path.with_name(_free_name(f"{path.name}-restored", lambda n: n.lower() in taken))


def _free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    number, candidate = 1, name
    while is_taken(candidate):
        number += 1
        candidate = f"{name}-{number}"
    return candidate
