"""Exclusive use of a repository's trash by one process at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from ctui.errors import Conflict, Unavailable
from ctui.file_lock import FileLock
from ctui.git.process.process import held_locks
from ctui.git.repository.repository import Repository
from ctui.worktrees.trash.entries import trash_folder

_PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def trash_lock(
    repository: Repository, *, patience: float = _PATIENCE_SECONDS
) -> AsyncIterator[None]:
    """Be the only process that removes or restores in this repository.

    For the holder, an entry in the middle of an operation means that its process has ended, and
    every git process that it had started.

    Args:
        repository: whose trash it is.
        patience: seconds to wait for another process.

    Raises:
        Unavailable: another process takes too long, or the git directory cannot be written.
    """
    lock = await _locked(repository, "lock", patience)
    if lock is None:
        raise Unavailable(
            f"another ctui is removing or restoring in {repository.name}",
            hint="try again when it is done",
        )
    with lock, _inherited(lock.fileno()):
        yield


@asynccontextmanager
async def purge_lock(repository: Repository) -> AsyncIterator[None]:
    """Be the only process that purges; others remove and restore meanwhile. Raises Conflict."""
    lock = await _locked(repository, "purge-lock", 0)
    if lock is None:
        raise Conflict(
            f"another ctui empties the trash of {repository.name}",
            hint="try again when it is done",
        )
    with lock, _inherited(lock.fileno()):
        yield


@contextmanager
def _inherited(lock: int) -> Iterator[None]:
    token = held_locks.set((*held_locks.get(), lock))
    try:
        yield
    finally:
        held_locks.reset(token)


async def _locked(repository: Repository, name: str, patience: float) -> FileLock | None:
    folder = trash_folder(repository)
    lock = FileLock(folder / name)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        return lock if await lock.wait(patience) else None
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}") from error
