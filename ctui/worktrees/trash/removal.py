"""Removal of a worktree without losing anything.

Refs are made for all of its objects, it is renamed into the trash, and its status is read once more
there, where no editor, shell or git of the person finds it any more. If that differs from what was
seen before, everything goes back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.git.process.process import to_the_end
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.identity import checked_path
from ctui.worktrees.model import WorktreeStatus
from ctui.worktrees.survey import Survey
from ctui.worktrees.trash import branches
from ctui.worktrees.trash.entries import (
    TrashEntry,
    TrashRecord,
    forget_record,
    holder_beside,
    new_id,
    records,
    trash_folder,
    write_record,
)
from ctui.worktrees.trash.keep_refs import (
    add_keep_refs,
    delete_keep_refs,
    named_objects,
    objects_in,
)
from ctui.worktrees.trash.lock import trash_lock
from ctui.worktrees.trash.removal_checks import (
    RemovalBasis,
    StillFree,
    check_removal,
    check_there,
    look,
    refuse_change,
    refuse_lock,
    refuse_nested,
    refuse_work,
)
from ctui.worktrees.trash.renames import is_at, rename_back, rename_in, to_be_moved

_WITH_FILES = {None, "unlinked"}
"""Problems, or none, with which a worktree that has files can be removed."""


async def remove_worktree(
    survey: Survey,
    status: WorktreeStatus,
    *,
    force: bool = False,
    delete_branch: bool = False,
    companions: Sequence[Path] = (),
    tasks: Sequence[str] = (),
    still_free: StillFree | None = None,
) -> TrashEntry:
    """Move a worktree into the trash, or only its metadata if its files are gone.

    Args:
        survey: of its repository; it is looked at once more.
        status: what the person saw; what changed since then is a reason to refuse.
        force: also if it is unclean, or its files are gone.
        delete_branch: delete its branch too, if nothing else needs it; a restore makes it again.
        companions: further folders that belong to it; each is moved to a trash beside itself.
        tasks: ids of the tasks that leave the list with it; a restore tells them again.
        still_free: returns True as long as nobody works in it.

    Raises:
        Refused: it is unclean or locked, somebody works in it, or there is a problem with it.
        Conflict: it changed since `status` was taken.
        NotFound, Unavailable, ExternalFailure: it is gone; git or the disk failed.
        In any case it is where it was.
    """
    check_removal(status, force=force)
    with _named_if_gone(status.name, Path(status.metadata)):
        seen = await look_for_removal(survey, Path(status.metadata), force=force)
        refuse_change(status, seen.status)
    return await remove_seen(
        survey,
        seen,
        delete_branch=delete_branch,
        companions=companions,
        tasks=tasks,
        still_free=still_free,
    )


async def remove_seen(
    survey: Survey,
    seen: RemovalBasis,
    *,
    delete_branch: bool = False,
    companions: Sequence[Path] = (),
    tasks: Sequence[str] = (),
    still_free: StillFree | None = None,
) -> TrashEntry:
    """Move a worktree into the trash as it was just seen; see `remove_worktree`."""
    repository = survey.repository
    with _named_if_gone(seen.status.name, Path(seen.status.metadata)):
        async with trash_lock(repository):
            await put_back_interrupted(repository)
            planned = await _plan(survey, seen, companions, tasks)
            if delete_branch:
                planned = _with_branch_deleted(repository, planned)
            return await _carry_through(repository, planned, seen, still_free or (lambda: True))


async def look_for_removal(survey: Survey, metadata: Path, *, force: bool) -> RemovalBasis:
    """Look at a worktree that is to be removed.

    Raises:
        NotFound, Conflict, Refused: it is gone, or may not be removed.
    """
    path, problem = checked_path(survey.repository, metadata, survey.record_of(metadata))
    # This order matters: a change after git's status is found by the comparison in the trash.
    inode = to_be_moved("worktree", path, path).inode if problem in _WITH_FILES else None
    target = survey.repository.target()
    status = await survey.one(metadata, outlook=False)
    check_removal(status, force=force)
    digest = None
    if inode is not None:
        seen = survey.look_of(metadata)
        digest = seen.digest if seen else await look(status, metadata, path)
    return RemovalBasis(status, digest, inode, target)


@contextmanager
def _named_if_gone(name: str, metadata: Path) -> Iterator[None]:
    """Say of an error that the worktree was removed meanwhile, where that is why."""
    try:
        yield
    except CtuiError as error:
        if not metadata.exists():
            raise Conflict(f"{one_line(name)} was removed meanwhile", hint="look again") from error
        raise


async def put_back_interrupted(repository: Repository) -> list[TrashEntry]:
    """Complete a removal that a crash interrupted: undo it if it was not checked yet.

    Returns:
        the entries that are in the trash now.
    """
    completed: list[TrashEntry] = []
    for record in records(repository):
        # An entry that a person damaged by hand must not stop the others.
        with suppress(CtuiError, OSError):
            if record.stage == "removing" and not await put_back(repository, record):
                completed.append(_settle(repository, record))
            elif record.stage == "checked":
                completed.append(await _complete(repository, record))
    return completed


async def put_back(repository: Repository, record: TrashRecord) -> bool:
    """Undo a removal.

    Returns:
        False where something else is at the worktree's place by now; then it is all in the trash.
    """
    # A part that a person removed meanwhile does not stop the others from going back.
    there = [
        moved
        for moved in record.moved
        if is_at(Path(moved.source), moved) or is_at(Path(moved.target), moved)
    ]
    try:
        rename_back(there)
    except (CtuiError, OSError):
        rename_in(there)
        return False
    await delete_keep_refs(repository, record.entry.id)
    forget_record(repository, record)
    return True


async def _plan(
    survey: Survey, seen: RemovalBasis, companions: Sequence[Path], tasks: Sequence[str]
) -> TrashRecord:
    repository, metadata = survey.repository, Path(seen.status.metadata)
    entry_id, path = new_id(), Path(seen.status.path)
    refuse_nested(repository, metadata, path)
    moved = [to_be_moved("metadata", metadata, trash_folder(repository) / entry_id)]
    if seen.digest is not None:
        holder = holder_beside(path, repository)
        moved.append(to_be_moved("worktree", path, holder / entry_id))
        if moved[1].inode != seen.inode:
            raise Conflict(f"{path} is not the folder that it was", hint="look at it by hand")
    elif path.exists():
        raise Conflict(f"{one_line(seen.status.name)} is there again", hint="look at it again")
    for number, folder in enumerate(path for path in companions if path.exists()):
        holder = holder_beside(folder, repository)
        moved.append(to_be_moved("companion", folder, holder / f"{entry_id}-{number}"))
    branch = await branches.read_branch(repository, metadata)
    entry = TrashEntry(
        id=entry_id,
        name=seen.status.name,
        path=str(path),
        metadata=str(metadata),
        repository=str(repository.common_dir),
        branch=branch.name if branch else None,
        head=seen.status.head,
        removed=time.time_ns(),
        record=survey.record_of(metadata),
        place=moved[1].target if seen.digest is not None else None,
        tasks=tuple(tasks),
    )
    return TrashRecord(stage="removing", entry=entry, moved=moved, branch=branch)


def _with_branch_deleted(repository: Repository, planned: TrashRecord) -> TrashRecord:
    branch = planned.branch
    if branch is None or branch.tip is None or not branch.checked_out:
        return planned
    needed = _needed(repository, branch.name, beside=Path(planned.entry.metadata))
    deleted = msgspec.structs.replace(branch, deleted=not needed)
    return msgspec.structs.replace(planned, branch=deleted)


def _needed(repository: Repository, branch: str, *, beside: Path | None = None) -> bool:
    """Return True if a branch is the repository's own, or is checked out elsewhere."""
    own = {*repository.own_branches(), *(target.ref for target in repository.targets())}
    if own & {branch, f"refs/heads/{branch}"}:
        return True
    return branches.used_by(repository, branch, beside=beside) is not None


async def _carry_through(
    repository: Repository, planned: TrashRecord, seen: RemovalBasis, still_free: StillFree
) -> TrashEntry:
    metadata = planned.moved[0]
    refuse_work(planned, still_free)
    refuse_lock(planned)
    try:
        write_record(repository, planned)
        named = named_objects(Path(metadata.source))
        await add_keep_refs(
            repository,
            Path(metadata.source),
            planned.entry.id,
            planned.entry.head,
            named | _kept_for(planned),
        )
        refuse_work(planned, still_free)
        rename_in(planned.moved)
        refuse_work(planned, still_free)
        await check_there(repository, planned, seen, named)
        checked = msgspec.structs.replace(planned, stage="checked")
        write_record(repository, checked)
    except BaseException as error:  # cancelled or not: what was moved goes back
        await to_the_end(_give_up(repository, planned))
        if isinstance(error, OSError):
            raise Unavailable(
                f"{planned.entry.path} cannot be moved to the trash: {error.strerror}"
            ) from error
        raise
    return await to_the_end(_complete(repository, checked))


async def _give_up(repository: Repository, planned: TrashRecord) -> None:
    if not await put_back(repository, planned):
        entry = _settle(repository, planned)
        raise Conflict(
            f"something else is at {entry.path} by now",
            hint=f"`ctui worktree restore {entry.id}` brings {one_line(entry.name)} back",
        )


def _settle(repository: Repository, record: TrashRecord) -> TrashEntry:
    """Make an entry of what lies completely in the trash."""
    branch = record.branch
    kept = msgspec.structs.replace(branch, deleted=False) if branch else None
    write_record(repository, msgspec.structs.replace(record, stage="removed", branch=kept))
    return record.entry


async def _complete(repository: Repository, record: TrashRecord) -> TrashEntry:
    """Delete the branch if that was wanted, and make the entry visible."""
    entry, branch = record.entry, record.branch
    if branch is not None and branch.deleted:
        # After a crash, somebody may have checked the branch out again.
        used = _needed(repository, branch.name)
        gone = not used and await branches.delete_branch(repository, branch)
        branch = msgspec.structs.replace(branch, deleted=gone)
        entry = msgspec.structs.replace(entry, branch_deleted=gone)
    write_record(
        repository,
        msgspec.structs.replace(record, stage="removed", entry=entry, branch=branch),
    )
    return entry


def _kept_for(planned: TrashRecord) -> frozenset[str]:
    """Return the objects that a restore needs although the metadata does not name them."""
    branch, record = planned.branch, planned.entry.record
    found = objects_in(branch.reflog) if branch and branch.reflog else frozenset()
    found |= {branch.tip} if branch and branch.tip else frozenset()
    return found | ({record.base} if record and record.base else frozenset())
