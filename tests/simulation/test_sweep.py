"""Sandboxes that an earlier driver left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import TASKS, Schedule, in_world


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def test_a_damaged_record_keeps_no_other_sandbox_running() -> None:
    in_world(1, _two_are_left)


async def _two_are_left(schedule: Schedule) -> None:
    world = schedule.world
    world.tool_counts = [0]
    for name in TASKS:
        await schedule.start(name, detached=True)
    await asyncio.sleep(60.0)
    for name in TASKS:
        await schedule.stop(name)
    await schedule.kill_driver()
    specs = [box.spec for box in sorted(world.sandboxes.values(), key=lambda box: box.task)]
    left = [Sandbox(world, spec) for spec in specs]
    for number, box in enumerate(left):
        box.id = f"left-{number}"
        world.sandboxes[box.id] = box
        box.start()
    assert [box.task for box in left] == ["one", "two"]
    schedule.store._database.execute("UPDATE tasks SET record = '{' WHERE id = 'one'")
    schedule.start_driver()
    await asyncio.sleep(60.0)
    assert [box.removed for box in left] == [False, True]
