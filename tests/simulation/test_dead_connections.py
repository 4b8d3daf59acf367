"""A connection to the engine that is dead, and of which nobody is told: after a suspend."""

from __future__ import annotations

import asyncio

import pytest

from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests.simulation.end_checks import check_journal
from tests.simulation.hostile_world import quiet, said, settled, state_line
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import Schedule, in_world, run_schedule


async def _dead(box: Sandbox) -> None:
    """Let whoever follows the log wait for ever."""
    await asyncio.sleep(5.0)
    box.grown = asyncio.Event()


def test_the_end_of_a_run_is_noticed() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, state_line("running"))
        await _dead(box)
        box.forge(b'{"type":"last words"}')
        box.end(1)
        await asyncio.sleep(60.0)
        task = await settled(schedule, "one", TaskState.ENDED)
        assert task.failed
        check_journal(schedule, "one")
        assert box.removed

    in_world(15, work)


@pytest.mark.parametrize("seed", range(2))
def test_a_stop_is_confirmed(seed: int) -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await _dead(box)
        stopping = asyncio.ensure_future(schedule.engine.stop(calls.StopTask("one")))
        await asyncio.sleep(60.0)
        await asyncio.gather(stopping, return_exceptions=True)
        task = await settled(schedule, "one", TaskState.ENDED)
        assert task.reason == "stopped"
        assert box.removed

    in_world(seed, work)


def test_a_run_that_goes_on_is_not_followed_twice() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await asyncio.sleep(600.0)
        await said(schedule, box, state_line("running"), state_line("idle"))
        check_journal(schedule, "one")
        assert box.running

    in_world(15, work)


@pytest.mark.parametrize("seed", [17_830, 163_978])
def test_what_was_lost_before_the_run_was_followed_is_said_again(seed: int) -> None:
    """The engine went away and came back between the first words and the journal's first line."""
    run_schedule(seed)
