"""The wait of all tasks for a store that another program has locked."""

from __future__ import annotations

import asyncio

from ctui.errors import CtuiError, StoreLocked
from ctui.tasks.store import Store

_FIRST_SECONDS = 0.02
_MOST_SECONDS = 0.3


class StoreLockWatch:
    """One look at the lock for all who wait; its end wakes every one of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._job: asyncio.Task[None] | None = None

    async def writable(self, seconds: float) -> bool:
        """Wait for at most so long; return True once the store is not locked any more."""
        if self._job is None or self._job.done():
            self._job = asyncio.create_task(self._look(), name="lock of the store")
        done, _ = await asyncio.wait({self._job}, timeout=seconds)
        return bool(done)

    def close(self) -> None:
        """Look no more."""
        if self._job is not None:
            self._job.cancel()

    async def _look(self) -> None:
        delay = _FIRST_SECONDS
        while True:
            await asyncio.sleep(delay)
            delay = min(2 * delay, _MOST_SECONDS)
            try:
                self._store.check_writable()
            except StoreLocked:
                continue
            except CtuiError:
                pass  # another trouble, which each of them meets by itself
            return
