"""The disk of the engine is nearly full, and those of the person's folders are not."""

from __future__ import annotations

import asyncio

from ctui.tasks.model import AskState, TaskState
from tests.simulation.hostile_world import live, settled
from tests.simulation.schedule import Schedule, in_world


def test_what_works_is_paused_and_goes_on_when_there_is_space() -> None:
    """S18, beside it: where sandboxes, homes and logs are, none of which may lose anything."""
    in_world(1, _full_for_a_while)


def frozen(schedule: Schedule) -> list[bool]:
    """Return whether each sandbox that runs stands still."""
    return [box.paused for box in schedule.world.running("one")]


async def _full_for_a_while(schedule: Schedule) -> None:
    world = schedule.world
    world.tool_counts = [1]
    await live(schedule)
    world.engine_full = True
    await asyncio.sleep(10.0)
    task = schedule.store.tasks.get("one")
    assert (task.state, task.paused, task.cause) == (TaskState.WAITING, "space", "budget")
    assert "the disk of /engine has less than 2g left (tasks.free_space)" in task.problem
    assert frozen(schedule) == [True]
    await schedule.kill_driver()
    schedule.start_driver()
    await asyncio.sleep(60.0)
    assert schedule.store.tasks.get("one").paused == "space"
    assert frozen(schedule) == [True]
    world.heal()
    await asyncio.sleep(10.0)
    assert frozen(schedule) == [False]
    for ask in schedule.store.asks.list(AskState.PENDING):
        await schedule.answer(ask)
    assert (await settled(schedule, "one", TaskState.IDLE)).problem == ""
