"""No process is left to end after its loop, whatever is cancelled."""

from __future__ import annotations

import asyncio
import os

import pytest

from ctui.git.process.process import communicate


async def _cancel_twice() -> int:
    """Run what never ends, and cancel it also while its end is waited for; return its number."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    run = asyncio.create_task(
        communicate(
            ["/bin/sh", "-c", "echo $$ >&2; exec sleep 1000"],
            env=dict(os.environ),
            input=None,
            nice=False,
            heard=started.set_result,
        )
    )
    number = int(await started)
    run.cancel()
    await asyncio.sleep(0)  # it kills, and waits
    run.cancel()
    await asyncio.wait([run])
    assert run.cancelled()
    return number


def test_a_second_cancellation_leaves_no_process_behind_its_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    number = asyncio.run(_cancel_twice())
    with pytest.raises(ProcessLookupError):  # not even what nobody has waited for
        os.kill(number, 0)
    assert not caplog.records
