"""A runner that goes on removing a sandbox and does not come to an end."""

from __future__ import annotations

import asyncio

import pytest

from ctui.errors import Unavailable
from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests.simulation.hostile_world import quiet, settled
from tests.simulation.runner import SimulatedRunner
from tests.simulation.schedule import Schedule, in_world, run_schedule


def test_a_removal_that_hangs_is_waited_for_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine says 409 then, which is fine for one that another call removes."""

    async def work(schedule: Schedule) -> None:
        await quiet(schedule)
        removals = 0

        async def under_way(self: SimulatedRunner, sandbox: str) -> None:
            nonlocal removals
            del sandbox
            await self.call()
            removals += 1

        with monkeypatch.context() as patch:
            patch.setattr(SimulatedRunner, "remove", under_way)
            with pytest.raises(Unavailable, match="not confirmed"):
                await schedule.engine.stop(calls.StopTask("one"))
            task = schedule.store.tasks.get("one")
            assert task.cause == "engine"
            assert "has not removed" in task.problem
            assert removals < 20
        await asyncio.sleep(10.0)
        task = await settled(schedule, "one", TaskState.ENDED)
        assert (task.reason, task.problem) == ("stopped", "")

    in_world(18, work)


def test_a_removal_ends_what_was_said_before_it() -> None:
    """A driver was killed while it removed a task that had been told more after a stop.

    The next one does not know of the removal, and of the task that it is to be stopped.
    """
    run_schedule(56_505)
