"""The loop beside the screen's: it goes with what it was for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ctui.tui.support.worker_loop import WorkerLoop


async def test_it_is_closed_with_everything_in_it() -> None:
    before = set(threading.enumerate())
    worker = WorkerLoop()
    begun = asyncio.Event()
    here = asyncio.get_running_loop()

    async def work() -> None:
        here.call_soon_threadsafe(begun.set)
        await asyncio.Event().wait()

    waiting = worker.submit(work())
    await begun.wait()
    [thread] = set(threading.enumerate()) - before
    await worker.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.to_thread(thread.join)
    assert worker.loop.is_closed()
    await worker.close()
