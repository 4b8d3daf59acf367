"""A thread with a loop of its own, for what would make the screen's loop wait: git and files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")

_AGAIN_SECONDS = 0.5


class WorkerLoop:
    """Loop that starts with the first work, and ends with the process or when it is closed."""

    def __init__(self) -> None:
        self._closed = False

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop in which the work is done; its thread starts with the first call."""
        loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(loop,), name="worker_loop", daemon=True).start()
        return loop

    def submit(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Do this there, and wait for it here; cancelled here, it is cancelled there."""
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    async def close(self) -> None:
        """Cancel what is under way, and wait until it is over."""
        if "loop" not in self.__dict__ or self._closed:
            return
        self._closed = True
        await self.submit(_cancel_others())
        self.loop.call_soon_threadsafe(self.loop.stop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        # What ends with processes takes a few more rounds.
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    while others:
        for task in others:
            task.cancel()
        # Once is not enough: Python 3.11's `wait_for` loses one that meets its result.
        _, others = await asyncio.wait(others, timeout=_AGAIN_SECONDS)
