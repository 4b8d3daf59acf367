"""Services of a task: there before its sandbox, and gone whenever that is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from ctui.errors import CtuiError
from ctui.sandbox.spec import HOLDER
from ctui.tasks import calls
from ctui.tasks.model import EndReason, TaskState
from tests.simulation.end_checks import check_end, check_restart
from tests.simulation.hostile_world import settled
from tests.simulation.schedule import Schedule, in_world
from tests.simulation.services import SERVICES

_SLEPT = 1200.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def names(schedule: Schedule) -> list[str]:
    return [one.name for one in schedule.world.services.left("one")]


async def started(schedule: Schedule) -> None:
    """Let the task do its first turn, with services that are ready."""
    services = schedule.world.services
    services.never_ready = services.dies = 0.0
    schedule.world.tool_counts = [0]
    await schedule.start("one", detached=True, services=SERVICES)
    await settled(schedule, "one", TaskState.IDLE)


def test_they_sleep_and_wake_with_the_task() -> None:
    """Part 4: asleep and awake with it."""

    async def work(schedule: Schedule) -> None:
        await started(schedule)
        assert names(schedule) == [HOLDER, "db", "queue"]
        await asyncio.sleep(_SLEPT)
        assert schedule.world.running("one") == []
        assert names(schedule) == []
        await schedule.send("one")
        await settled(schedule, "one", TaskState.IDLE)
        assert names(schedule) == [HOLDER, "db", "queue"]
        await schedule.stop("one")
        assert names(schedule) == []
        check_end(schedule)

    in_world(1, work)


def test_one_that_is_never_ready_fails_the_start_and_leaves_nothing() -> None:
    """Part 4: one line that names it."""

    async def work(schedule: Schedule) -> None:
        schedule.world.services.never_ready = 1.0
        await schedule.start("one", detached=True, services=SERVICES)
        await settled(schedule, "one", TaskState.ENDED)
        await schedule.stop("one")  # answered when nothing is left
        task = schedule.store.tasks.get("one")
        assert task.reason is EndReason.FAILED
        assert task.problem.startswith("the service db was not ready")
        assert names(schedule) == []
        assert not any(box.started for box in schedule.world.sandboxes.values())
        await schedule.kill_driver()
        schedule.start_driver()
        await check_restart(schedule)

    in_world(1, work)


def test_one_that_dies_ends_no_run() -> None:
    """Part 4: the task finds it gone, and goes on; the next run has a new one."""

    async def work(schedule: Schedule) -> None:
        await started(schedule)
        (box,) = schedule.world.running("one")
        for one in schedule.world.services.left("one"):
            one.running = False
        await schedule.send("one")
        await settled(schedule, "one", TaskState.IDLE)
        assert schedule.world.running("one") == [box]
        await schedule.stop("one")
        assert names(schedule) == []

    in_world(1, work)


def test_a_new_driver_takes_those_of_a_run_over() -> None:
    """Part 4: a driver's first sweep leaves what a run uses."""

    async def work(schedule: Schedule) -> None:
        await started(schedule)
        before = schedule.world.services.left("one")
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(30.0)
        assert schedule.world.services.left("one") == before
        assert all(one.running for one in before)
        await schedule.stop("one")
        assert names(schedule) == []

    in_world(1, work)


@pytest.mark.parametrize("after", [0.01, 0.3, 1.0])
def test_a_new_driver_removes_those_that_were_to_be_for_a_shell(after: float) -> None:
    """Part 4: no run is on record for them, and no sandbox was made yet."""

    async def work(schedule: Schedule) -> None:
        await started(schedule)
        await asyncio.sleep(_SLEPT)
        world = schedule.world

        async def open_shell() -> None:
            await schedule.engine.hold_shell(calls.HoldShell("one", "shell", open=True))

        schedule.command("open", open_shell)
        while not world.services.left("one"):  # noqa: ASYNC110 - no time passes in this world
            await asyncio.sleep(0.001)
        await asyncio.sleep(after)
        sandbox = bool(world.running("one"))
        await schedule.kill_driver()
        assert names(schedule)
        schedule.start_driver()
        await asyncio.sleep(5.0)
        assert bool(names(schedule)) is sandbox
        await asyncio.sleep(600.0)
        assert names(schedule) == []

    in_world(int(after * 100) + 1, work)


def test_a_shell_has_them_too_and_a_run_that_begins_there_keeps_them() -> None:
    """Part 4: services and shells share the holder's network."""

    async def work(schedule: Schedule) -> None:
        await started(schedule)
        await asyncio.sleep(_SLEPT)
        call = calls.HoldShell("one", "shell", open=True)
        box = schedule.world.sandboxes[await schedule.engine.hold_shell(call)]
        there = schedule.world.services.left("one")
        assert [one.name for one in there] == [HOLDER, "db", "queue"]
        await schedule.send("one")
        await settled(schedule, "one", TaskState.IDLE)
        assert schedule.world.running("one") == [box]
        assert schedule.world.services.left("one") == there

    in_world(3, work)


def test_a_shell_whose_services_are_not_ready_is_refused_with_that() -> None:
    async def work(schedule: Schedule) -> None:
        await started(schedule)
        await asyncio.sleep(_SLEPT)
        schedule.world.services.never_ready = 1.0
        with pytest.raises(CtuiError, match="the service db was not ready"):
            await schedule.engine.hold_shell(calls.HoldShell("one", "shell", open=True))
        await asyncio.sleep(5.0)
        assert names(schedule) == []

    in_world(4, work)
