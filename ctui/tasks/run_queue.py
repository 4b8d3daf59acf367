"""Which tasks may have a run now. All methods run on the driver's loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from ctui.tasks.active import Active
from ctui.tasks.model import TaskState
from ctui.tasks.store import Store


class RunQueue:
    """At most so many runs at once. The others wait, and tasks that are idle make room for them."""

    def __init__(
        self, limit: int, active: Mapping[str, Active], store: Store, sleep: Callable[[str], None]
    ) -> None:
        """Nobody waits yet.

        Args:
            limit: runs at once.
            active: all tasks that have a run or wait for one, by id, as they are at any moment.
            store: where their states are.
            sleep: puts a task's sandbox to sleep, in its own time.
        """
        self._slots = asyncio.Semaphore(limit)
        self._active = active
        self._store = store
        self._sleep = sleep

    @asynccontextmanager
    async def slot(self, active: Active) -> AsyncIterator[None]:
        """Wait for a turn, and keep it."""
        active.queued = True
        if self._slots.locked():
            self.make_room()
        async with self._slots:
            active.queued = False
            yield

    def make_room(self) -> None:
        """Put those to sleep that have been idle for longest, one for each that waits."""
        waiting = sum(active.queued and not active.intent for active in self._active.values())
        leaving = sum(not active.queued and bool(active.intent) for active in self._active.values())
        idle = sorted(
            (task.updated, name)
            for name, active in self._active.items()
            if active.life is not None and active.life.created and not active.intent
            if (task := self._store.tasks.get(name, removed=True)).state is TaskState.IDLE
        )
        for _, name in idle[: max(0, waiting - leaving)]:
            # Said at once, so that nobody counts it as idle again before it has stopped.
            self._active[name].intent = "asleep"
            self._sleep(name)
