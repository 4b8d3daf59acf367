"""No process is left to end after its loop, whatever is cancelled."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from ctui.git.process.process import communicate


async def _cancel_twice(started: Path) -> None:
    """Run what never ends, and cancel it also while its end is waited for."""
    script = f"echo >{started}; exec sleep 1000"
    run = asyncio.create_task(
        communicate(["/bin/sh", "-c", script], env=dict(os.environ), input=None, nice=False)
    )
    while not started.exists():
        await asyncio.sleep(0.01)
    run.cancel()
    await asyncio.sleep(0)  # it kills, and waits
    run.cancel()
    await asyncio.wait([run])
    assert run.cancelled()


def test_a_second_cancellation_leaves_no_process_behind_its_loop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(_cancel_twice(tmp_path / "started"))
    for thread in threading.enumerate():  # those in which asyncio waits for a process
        if thread.name.startswith("asyncio-waitpid"):
            thread.join(10)
    assert not caplog.records
