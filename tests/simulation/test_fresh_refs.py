"""G18: what is new in the repository is brought to a task whenever a turn of it begins."""

from __future__ import annotations

import asyncio

import pytest

from ctui.tasks import calls
from ctui.tasks.model import Task, TaskState
from tests.simulation.driver_parts import SimulatedWorkspace
from tests.simulation.hostile_world import quiet
from tests.simulation.schedule import Schedule, in_world


def test_a_message_to_a_live_run_refreshes_and_is_not_held_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """G18: also where that takes long, and what is already under way is not begun twice."""
    refreshed: list[str] = []

    async def slowly(_: SimulatedWorkspace, task: Task) -> None:
        refreshed.append(task.id)
        await asyncio.sleep(30.0)

    monkeypatch.setattr(SimulatedWorkspace, "refresh", slowly)

    async def work(schedule: Schedule) -> None:
        await quiet(schedule)
        assert refreshed == []
        told = await schedule.engine.send(calls.SendMessage("one", "m-1", "more"))
        assert told.state is TaskState.RUNNING
        await schedule.engine.send(calls.SendMessage("one", "m-2", "and more"))
        await asyncio.sleep(10.0)
        assert refreshed == ["one"]
        assert schedule.store.messages.undelivered("one") == []
        await asyncio.sleep(60.0)
        await schedule.engine.send(calls.SendMessage("one", "m-3", "again"))
        await asyncio.sleep(1.0)
        assert refreshed == ["one", "one"]

    in_world(3, work)
