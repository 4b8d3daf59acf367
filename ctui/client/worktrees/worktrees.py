"""Worktrees as a front end has them: made, recorded, adopted and found again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.errors import CtuiError, Refused
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths, private_folder
from ctui.tasks.database.worktree_index import WorktreeIndex
from ctui.text import one_line
from ctui.worktrees.identity import checked_path, metadata_of, moved_to, place_of
from ctui.worktrees.known import KnownWorktree, find_worktree, known_worktrees
from ctui.worktrees.mending import what_to_do
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.owner import task_owner

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository
    from ctui.tasks.store import Store
    from ctui.worktrees.as_stored import Say
    from ctui.worktrees.create import Progress
    from ctui.worktrees.existing_branch import ExistingBranch

REQUESTS = frozenset({"pr:", "mr:"})
"""Beginnings of names that mean a request's branch."""


@contextmanager
def open_index(paths: Paths) -> Iterator[WorktreeIndex]:
    """Open what is on record of worktrees, to read and to keep it, without all of the store."""
    private_folder(paths.state)
    with closing(WorktreeIndex(paths.database)) as index:
        yield index


@contextmanager
def open_store(paths: Paths) -> Iterator[Store]:
    """Open the index of tasks, to read and to keep worktree records."""
    from ctui.tasks.store import Store

    private_folder(paths.state)
    with closing(Store(paths.database)) as store:
        yield store


def records(paths: Paths, repository: Repository) -> dict[str, WorktreeRecord]:
    """Return ctui's records of a repository's worktrees, by metadata folder.

    One that was moved without ctui is recorded at its new place. A task keeps to the old one.
    """
    found = {}
    with open_index(paths) as index:
        for data in index.worktrees.of(str(repository.common_dir)):
            # What cannot be read hides no other; its worktree is adopted like one of the person's.
            with suppress(msgspec.MsgspecError, ValueError):
                record = msgspec.json.decode(data, type=WorktreeRecord)
                found[record.metadata] = _followed(index, record)
    return found


def as_stored(paths: Paths, repository: Repository) -> list[Path]:
    """Return the worktrees that ctui made, whose files are as the repository stores them."""
    known = records(paths, repository).values()
    return [Path(record.path) for record in known if record.base is not None]


def _followed(index: WorktreeIndex, record: WorktreeRecord) -> WorktreeRecord:
    here = moved_to(record)
    if here is None or index.places.any_at(record.path):
        return record
    followed = msgspec.structs.replace(record, path=str(here))
    with suppress(CtuiError):  # what cannot be written is found out the next time
        index.worktrees.save(followed.path, followed.repository, msgspec.json.encode(followed))
        index.worktrees.forget(record.path)
    return followed


def recorded(paths: Paths, repository: Repository, name: str) -> WorktreeRecord:
    """Return a worktree's record by its name, branch or path; adopt one that ctui did not make.

    Raises:
        NotFound, Conflict: there is none, or there are several.
        Refused: it is not what git's metadata says.
    """
    found = find_worktree(known_worktrees(repository, records(paths, repository)), name)
    if found.record is not None:
        return found.record
    record = _adopted(repository, found)
    _keep(paths, record)
    return record


def check_ready(repository: Repository, record: WorktreeRecord) -> None:
    """Refuse a worktree that no task can work in, before there is a task.

    Raises:
        Refused: it is not what was recorded, or belongs to root.
    """
    metadata = Path(record.metadata)
    path, problem = checked_path(repository, metadata, record)
    if problem is not None:
        hint = what_to_do(problem, path, metadata)
        raise Refused(f"{one_line(record.name)} is {problem}", hint=hint)
    task_owner(path)


def has_branch(paths: Paths, repository: Repository, branch: str) -> bool:
    """Return True if a linked worktree has the branch checked out."""
    known = known_worktrees(repository, records(paths, repository))
    return any(worktree.branch == branch for worktree in known)


def worktree_at(path: Path) -> WorktreeRecord | None:
    """Return the record of the worktree at a path, if both ends still name each other.

    Nothing is written.
    """
    metadata = metadata_of(path)
    if metadata.parent.name != "worktrees":
        return None
    try:
        repository = open_repository(metadata.parent.parent)
        for found in known_worktrees(repository, {}):
            if place_of(found.path) == place_of(path):
                return _adopted(repository, found)
    except (CtuiError, OSError):
        return None
    return None


def restore_records(paths: Paths, index: WorktreeIndex) -> list[str]:
    """Record the worktrees below ctui's own folder that the index lacks; return their names."""
    known = {str(place_of(Path(path))) for path in index.worktrees.paths()}
    restored = []
    for path in sorted(paths.worktrees.glob("*/[!.]*")):
        if str(path) not in known and (record := worktree_at(path)) is not None:
            index.worktrees.save(record.path, record.repository, msgspec.json.encode(record))
            restored.append(record.name)
    return restored


def _adopted(repository: Repository, found: KnownWorktree) -> WorktreeRecord:
    path, problem = checked_path(repository, found.metadata, None)
    if problem is not None:
        hint = what_to_do(problem, path, found.metadata)
        raise Refused(f"{one_line(found.name)} is {problem}", hint=hint)
    status = path.lstat()
    return WorktreeRecord(
        name=found.name,
        path=str(path),
        repository=str(repository.common_dir),
        metadata=str(found.metadata),
        device=status.st_dev,
        inode=status.st_ino,
        branch=found.branch,
        base=None,
        created=time.time_ns(),
    )


async def make_worktree(
    paths: Paths,
    repository: Repository,
    *,
    prefix: str,
    name: str = "",
    prompt: str = "",
    base: str = "HEAD",
    progress: Progress | None = None,
    say: Say = lambda _: None,
    existing: ExistingBranch | None = None,
    bring: Callable[[WorktreeRecord], Awaitable[None]] | None = None,
) -> WorktreeRecord:
    """Make a worktree and keep its record; see `create_worktree`.

    A base can be a request (`pr:7`), whose branch is fetched. `bring` puts into it what is not
    committed.

    Raises:
        CtuiError: what is wrong; no worktree and no branch is left behind.
    """
    from ctui.worktrees.create import create_worktree

    with open_index(paths) as index:
        index.check_writable()
    if base[:3].lower() in REQUESTS:
        found = await wanted_branch(repository, base)
        base = found.commit if found else base

    record = await create_worktree(
        repository,
        paths.worktrees,
        prompt=prompt,
        name=name,
        base=base,
        prefix=prefix,
        progress=progress,
        say=say,
        existing=existing,
    )
    try:
        _keep(paths, record)
        if bring is not None:
            await bring(record)
    except (CtuiError, asyncio.CancelledError):
        await asyncio.shield(discard(paths, repository, record))
        raise
    return record


async def wanted_branch(repository: Repository, name: str) -> ExistingBranch | None:
    """Return the branch that is there by this name, or a request's (`pr:7`), which is fetched.

    Raises:
        Conflict: several remotes have it.
        CtuiError: the request could not be asked for, or fetched.
    """
    if name[:3].lower() in REQUESTS:
        from ctui.worktrees.requested_branch import parse_request, requested_branch

        if (request := parse_request(name)) is not None:
            return await requested_branch(repository, request)
    from ctui.worktrees.existing_branch import existing_branch

    return existing_branch(repository, name)


async def meant_by(repository: Repository, name: str) -> str:
    """Return a worktree's name as it is, or the branch of a request (`pr:7`).

    Raises:
        NotFound: the request's branch is not here.
        CtuiError: the request could not be asked for.
    """
    if name[:3].lower() not in REQUESTS:
        return name
    from ctui.worktrees.requested_branch import branch_name_of

    return await branch_name_of(repository, name)


def _keep(paths: Paths, record: WorktreeRecord) -> None:
    with open_index(paths) as index:
        index.worktrees.save(record.path, record.repository, msgspec.json.encode(record))


async def discard(paths: Paths, repository: Repository, record: WorktreeRecord) -> None:
    """Undo `make_worktree`, for a worktree that nobody has worked in yet."""
    from ctui.worktrees.create import discard_worktree

    # A branch without a recorded beginning was there before.
    branch = record.branch if record.base is not None else None
    await discard_worktree(repository, Path(record.path), branch)
    # A store that cannot be used is said by whoever needs it; a record without a worktree is none.
    with suppress(CtuiError), open_index(paths) as index:
        index.worktrees.forget(record.path)
