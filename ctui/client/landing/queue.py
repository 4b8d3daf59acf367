"""Turns of landings in one target: one at a time, in the order in which they came.

Who waits holds the lock of a ticket, a file with a number; a dead one's is free and is passed over.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ctui.file_lock import FileLock
from ctui.paths import private_folder
from ctui.text import one_line

_POLL_SECONDS = 0.1
_NAME_BYTES = 256


@asynccontextmanager
async def turn(
    folder: Path, repository: Path, target: str, name: str, waits: Callable[[str], None]
) -> AsyncIterator[str]:
    """Wait for the turn, hold it, and yield the queue's name, which is that of the target.

    Args:
        folder: of all queues.
        repository: the main repository's `.git` folder.
        target: the branch that is landed in.
        name: of the worktree, which others are told.
        waits: is called with the name of each landing that is waited for.
    """
    key = hashlib.sha256(os.fsencode(f"{repository}\0{target}")).hexdigest()[:16]
    queue = private_folder(folder / key)
    ticket = await _draw(queue, name)
    with ticket:
        try:
            for earlier in _tickets(queue):
                if earlier < ticket.path:
                    await _gone(earlier, waits)
            yield key
        finally:
            ticket.path.unlink(missing_ok=True)


async def _draw(queue: Path, name: str) -> FileLock:
    """Return the next ticket, locked."""
    lock = FileLock(queue / "lock")
    await lock.wait()
    with lock:
        last = max((int(path.stem) for path in _tickets(queue)), default=0)
        ticket = FileLock(queue / f"{last + 1:012}.ticket")
        await ticket.wait()
        os.write(ticket.fileno(), name.encode("utf-8", "replace")[:_NAME_BYTES])
        return ticket


async def _gone(path: Path, waits: Callable[[str], None]) -> None:
    """Wait until a ticket's holder is gone, however it went."""
    lock, told = FileLock(path), False
    while not lock.acquire(0):
        if not told:
            told = True
            waits(_holder(path))
        await asyncio.sleep(_POLL_SECONDS)
    with lock:
        path.unlink(missing_ok=True)


def _tickets(queue: Path) -> list[Path]:
    return sorted(queue.glob("*.ticket"))


def _holder(path: Path) -> str:
    try:
        with path.open("rb") as file:
            name = file.read(_NAME_BYTES).decode("utf-8", "replace")
    except OSError:
        name = ""
    return one_line(name) or "another worktree"
