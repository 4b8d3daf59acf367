"""Worktrees as a front end has them: made, recorded, found again, and moved into the trash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.errors import NotFound, Refused
from ctui.paths import Paths, private_folder
from ctui.tasks.store import Store
from ctui.worktrees.model import WorktreeRecord, WorktreeStatus

if TYPE_CHECKING:
    from ctui.git.repository import Repository
    from ctui.worktrees.trash.entries import TrashEntry
    from ctui.worktrees.trash.restore import Restored


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
        stored = store.worktrees(str(repository.common_dir))
    found = [msgspec.json.decode(data, type=WorktreeRecord) for data in stored]
    return {record.metadata: record for record in found}


def record_named(paths: Paths, repository: Repository, name: str) -> WorktreeRecord:
    """The record of a worktree by its name, branch or path.

    Raises:
        NotFound: there is none.
    """
    for record in records(paths, repository).values():
        if name in {record.name, record.branch, record.path}:
            return record
    raise NotFound(
        f"there is no worktree {name!r} in {repository.name}",
        hint="`ctui worktree list` shows them",
    )


async def make_worktree(
    paths: Paths,
    repository: Repository,
    *,
    prefix: str,
    name: str = "",
    prompt: str = "",
    base: str = "HEAD",
) -> WorktreeRecord:
    """Make a worktree and keep its record; see `create_worktree`."""
    from ctui.worktrees.create import create_worktree

    record = await create_worktree(
        repository, paths.worktrees, prompt=prompt, name=name, base=base, prefix=prefix
    )
    with open_store(paths) as store:
        store.save_worktree(record.path, record.repository, msgspec.json.encode(record))
    return record


async def discard(paths: Paths, repository: Repository, record: WorktreeRecord) -> None:
    """Undo `make_worktree`, for a worktree that nobody has worked in yet."""
    from ctui.worktrees.create import discard_worktree

    await discard_worktree(repository, Path(record.path), record.branch)
    with open_store(paths) as store:
        store.forget_worktree(record.path)


async def check_removal(
    repository: Repository, record: WorktreeRecord, *, force: bool
) -> WorktreeStatus:
    """The worktree's status, if in this state it may be removed; nothing is changed.

    Raises:
        NotFound, Refused: why not.
    """
    from ctui.worktrees.trash.removal_checks import check_removal as check

    status = await _status(repository, record)
    check(status, force=force)
    return status


async def to_trash(
    paths: Paths, repository: Repository, record: WorktreeRecord, *, force: bool
) -> TrashEntry:
    """Move a worktree of ours into the trash, unless a task works in it.

    Raises:
        NotFound, Refused, Conflict, Unavailable: it stays where it is.
    """
    from ctui.worktrees.trash.removal import remove_worktree

    with open_store(paths) as store:
        for task in store.tasks(worktree=record.path):
            if task.state.live:
                raise Refused(
                    f"the task {task.id} works in {record.name}", hint=f"`ctui task stop {task.id}`"
                )
        status = await _status(repository, record)

        def still_free() -> bool:
            return not any(task.state.live for task in store.tasks(worktree=record.path))

        entry = await remove_worktree(
            repository, status, record, force=force, still_free=still_free
        )
        store.forget_worktree(record.path)
    return entry


async def from_trash(paths: Paths, repository: Repository, entry_id: str) -> Restored:
    """Bring a worktree back, and keep its record.

    Raises:
        NotFound, Conflict, Unavailable: it stays in the trash.
    """
    from ctui.worktrees.trash.restore import restore_worktree

    restored = await restore_worktree(repository, entry_id)
    _keep(paths, restored)
    return restored


async def in_trash(paths: Paths, repository: Repository) -> list[TrashEntry]:
    """Everything that can be restored, after what a crash cut off was ended."""
    from ctui.worktrees.trash.recovery import recover, trash_entries

    for restored in await recover(repository):
        _keep(paths, restored)
    return await trash_entries(repository)


def _keep(paths: Paths, restored: Restored) -> None:
    record = restored.record
    if record is not None:
        with open_store(paths) as store:
            store.save_worktree(record.path, record.repository, msgspec.json.encode(record))


async def _status(repository: Repository, record: WorktreeRecord) -> WorktreeStatus:
    from ctui.worktrees.status import worktree_status

    metadata = Path(record.metadata)
    if not metadata.is_dir():
        raise NotFound(
            f"{record.name} is gone from the repository", hint="ctui task remove --keep-worktree"
        )
    return await worktree_status(repository, metadata, record, repository.target())
