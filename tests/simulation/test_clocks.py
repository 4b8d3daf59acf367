"""Clocks that jump: the wall clock is set, or the machine slept, and the loop's clock goes on."""

from __future__ import annotations

import asyncio

import pytest

from ctui.tasks import calls
from tests.simulation.hostile_world import asked_for, limit_lines, quiet, said, state_line
from tests.simulation.schedule import Schedule, in_world


def _echo(message: str) -> dict[str, object]:
    told = {"role": "user", "content": "more"}
    return {"type": "user", "uuid": message, "isReplay": True, "message": told}


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_turn_has_its_time_whatever_the_clock_says(
    monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule, timeout=3600)
        monkeypatch.setattr(schedule.world, "nudge", lambda _box: None)  # no turn ends by itself
        await said(schedule, box, state_line("running"))
        await asyncio.sleep(10.0)
        schedule.world._clock_off += jump
        await schedule.engine.send(calls.SendMessage("one", "id-1", "more"))
        await said(schedule, box, _echo("id-1"))
        await asyncio.sleep(3500.0)
        assert asked_for(box, "interrupt") == []
        await asyncio.sleep(100.0)
        assert len(asked_for(box, "interrupt")) == 1
        assert schedule.store.tasks.get("one").cause == "timeout"

    in_world(19, work)


def test_a_turn_that_is_adopted_goes_on_with_its_time() -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule, timeout=3600)
        await said(schedule, box, state_line("running"))
        await asyncio.sleep(1800.0)
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(1700.0)
        assert asked_for(box, "interrupt") == []
        await asyncio.sleep(200.0)
        assert len(asked_for(box, "interrupt")) == 1

    in_world(19, work)


@pytest.mark.parametrize("rests", [False, True])
def test_a_limited_task_goes_on_when_its_reset_passed_while_the_machine_slept(rests: bool) -> None:
    """Whether its sandbox is there, or another driver finds it at rest."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, *limit_lines(schedule, 86_400))
        if rests:
            await asyncio.sleep(43_200.0)
            assert not box.running
            await schedule.kill_driver()
            schedule.start_driver()
            await asyncio.sleep(20.0)
        assert len(schedule.store.messages.of("one")) == 1
        schedule.world._clock_off += 86_400.0
        await asyncio.sleep(120.0)
        task = schedule.store.tasks.get("one")
        assert (task.resume_at, task.cause) == (None, "")
        assert len(schedule.store.messages.of("one")) == 2

    in_world(19, work)
