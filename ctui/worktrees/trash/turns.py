"""Who may remove, restore and purge in a repository: one process at a time, and to the end."""

from __future__ import annotations

import asyncio
import fcntl
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TextIO, TypeVar

from ctui.errors import Conflict, Unavailable
from ctui.git.process import held_locks
from ctui.git.repository import Repository
from ctui.worktrees.trash.entries import trash_folder

_TURN_SECONDS = 0.01
_PATIENCE_SECONDS = 60.0

Done = TypeVar("Done")


@asynccontextmanager
async def trash_turn(
    repository: Repository, *, patience: float = _PATIENCE_SECONDS
) -> AsyncIterator[None]:
    """Be the only process that removes or restores in this repository.

    Whoever holds it finds, of every entry in the middle of something, that its process is gone, and
    every git that it had started.

    Args:
        repository: whose trash it is.
        patience: seconds to wait for another process.

    Raises:
        Unavailable: another process takes too long, or the git directory cannot be written.
    """
    deadline = time.monotonic() + patience
    with _lock_file(repository, "lock") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"another ctui is removing or restoring in {repository.name}",
                    hint="try again when it is done",
                )
            await asyncio.sleep(_TURN_SECONDS)
        with _inherited(file.fileno()):
            yield


async def to_the_end(work: Coroutine[Any, Any, Done]) -> Done:
    """Await what must not be left halfway; a cancellation counts after it.

    Unlike `asyncio.shield` it keeps the caller waiting, and so what the caller holds.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


@asynccontextmanager
async def purge_turn(repository: Repository) -> AsyncIterator[None]:
    """Be the only process that purges; others remove and restore meanwhile. Raises Conflict."""
    with _lock_file(repository, "purge-lock") as file:
        if not _try_lock(file.fileno()):
            raise Conflict(
                f"another ctui empties the trash of {repository.name}",
                hint="try again when it is done",
            )
        with _inherited(file.fileno()):
            yield


@contextmanager
def _inherited(lock: int) -> Iterator[None]:
    token = held_locks.set((*held_locks.get(), lock))
    try:
        yield
    finally:
        held_locks.reset(token)


def _lock_file(repository: Repository, name: str) -> TextIO:
    folder = trash_folder(repository)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        return (folder / name).open("w")
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written: {error.strerror}") from error


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
