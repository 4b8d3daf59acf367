"""No process is left to end after its loop, whatever is cancelled."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from ctui.git.process.process import communicate


async def _cancel_twice() -> None:
    """Run what never ends, and cancel it also while its end is waited for."""
    started = asyncio.Event()
    run = asyncio.create_task(
        communicate(
            ["/bin/sh", "-c", "echo started >&2; exec sleep 1000"],
            env=dict(os.environ),
            input=None,
            nice=False,
            heard=lambda _line: started.set(),
        )
    )
    await started.wait()
    run.cancel()
    await asyncio.sleep(0)  # it kills, and waits
    run.cancel()
    await asyncio.wait([run])
    assert run.cancelled()


def test_a_second_cancellation_leaves_no_process_behind_its_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asyncio.run(_cancel_twice())
    for thread in threading.enumerate():  # those in which asyncio waits for a process
        if thread.name.startswith("asyncio-waitpid"):
            thread.join(10)
    assert not caplog.records
