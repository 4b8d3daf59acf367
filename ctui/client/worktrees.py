"""Worktrees as a front end has them: made, recorded, adopted and found again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.errors import Refused
from ctui.paths import Paths, private_folder
from ctui.tasks.store import Store
from ctui.text import one_line
from ctui.worktrees.identity import checked_path
from ctui.worktrees.known import find_worktree, known_worktrees
from ctui.worktrees.model import WorktreeRecord

if TYPE_CHECKING:
    from ctui.git.repository import Repository
    from ctui.worktrees.create import Progress


@contextmanager
def open_store(paths: Paths) -> Iterator[Store]:
    """The index of tasks, to read and to keep worktree records."""
    private_folder(paths.state)
    store = Store(paths.database)
    try:
        yield store
    finally:
        store.close()


def records(paths: Paths, repository: Repository) -> dict[str, WorktreeRecord]:
    """Ctui's records of a repository's worktrees, by metadata folder."""
    with open_store(paths) as store:
        stored = store.worktrees.of(str(repository.common_dir))
    found = [msgspec.json.decode(data, type=WorktreeRecord) for data in stored]
    return {record.metadata: record for record in found}


def recorded(paths: Paths, repository: Repository, name: str) -> WorktreeRecord:
    """The record of a worktree by its name, branch or path; one that ctui did not make is adopted.

    Raises:
        NotFound, Conflict: there is none, or there are several.
        Refused: it is not what git's metadata says.
    """
    found = find_worktree(known_worktrees(repository, records(paths, repository)), name)
    if found.record is not None:
        return found.record
    path, problem = checked_path(repository, found.metadata, None)
    if problem is not None:
        raise Refused(f"{one_line(found.name)} is {problem}", hint="look at it by hand")
    status = path.lstat()
    record = WorktreeRecord(
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
    _keep(paths, record)
    return record


async def make_worktree(
    paths: Paths,
    repository: Repository,
    *,
    prefix: str,
    name: str = "",
    prompt: str = "",
    base: str = "HEAD",
    progress: Progress | None = None,
) -> WorktreeRecord:
    """Make a worktree and keep its record; see `create_worktree`."""
    from ctui.worktrees.create import create_worktree

    record = await create_worktree(
        repository,
        paths.worktrees,
        prompt=prompt,
        name=name,
        base=base,
        prefix=prefix,
        progress=progress,
    )
    _keep(paths, record)
    return record


def _keep(paths: Paths, record: WorktreeRecord) -> None:
    with open_store(paths) as store:
        store.worktrees.save(record.path, record.repository, msgspec.json.encode(record))


async def discard(paths: Paths, repository: Repository, record: WorktreeRecord) -> None:
    """Undo `make_worktree`, for a worktree that nobody has worked in yet."""
    from ctui.worktrees.create import discard_worktree

    await discard_worktree(repository, Path(record.path), record.branch)
    with open_store(paths) as store:
        store.worktrees.forget(record.path)
