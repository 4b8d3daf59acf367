"""Locks between processes. The kernel frees them when their holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_POLL_SECONDS = 0.01


class FileLock:
    """Exclusive lock of one file, which is made if it is missing and is never removed.

    Acquire it first, then enter it, so that an error of the lock cannot be mistaken for one of the
    guarded code:

        lock = FileLock(path)
        if not await lock.wait(30.0):
            raise Conflict(...)
        with lock:
            ...

    A process that inherits `fileno()` holds the lock too, until it ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def fileno(self) -> int:
        """Return the descriptor of the file, open for reading and writing, while it is locked."""
        if self._descriptor is None:
            raise ValueError(f"{self.path} is not locked")
        return self._descriptor

    def acquire(self, patience: float | None = None) -> bool:
        """Lock the file, and return False if another holder kept it for `patience` seconds.

        Args:
            patience: in seconds; 0 for a single attempt, None to wait for as long as it takes.

        Raises:
            OSError: the file cannot be opened.
        """
        if patience is None:
            return self._attempt(wait=True)
        deadline = time.monotonic() + patience
        while not self._attempt():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    async def wait(self, patience: float | None = None) -> bool:
        """Acquire the lock as `acquire` does, without blocking the event loop."""
        from asyncio import sleep  # loaded already by whoever has a loop

        deadline = None if patience is None else time.monotonic() + patience
        while not self._attempt():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            await sleep(_POLL_SECONDS)
        return True

    def release(self) -> None:
        """Release this process's hold; processes that inherited the descriptor keep theirs."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.fileno()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _attempt(self, *, wait: bool = False) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        while True:
            descriptor = os.open(self.path, flags, 0o600)
            try:
                locked = lock_descriptor(descriptor, wait=wait)
                # A file that was removed meanwhile locks nobody else out.
                if locked and _is_at(descriptor, self.path):
                    self._descriptor, descriptor = descriptor, -1
                    return True
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            if not locked:
                return False


def lock_descriptor(descriptor: int, *, wait: bool = False) -> bool:
    """Lock an open file or folder, and return False if somebody else holds it.

    Args:
        descriptor: of the file; the lock ends when its last copy is closed.
        wait: block until it is free.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
