"""Shells of a person: they wake a sandbox without its CLI, and keep it awake for a while."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from ctui.errors import Conflict, NotFound
from ctui.tasks import calls
from ctui.tasks.mailbox.open_shells import IDLE_SECONDS, LINGER_SECONDS, SILENT_SECONDS
from ctui.tasks.model import TaskState
from tests.simulation.end_checks import check_end, check_restart
from tests.simulation.hostile_world import quiet, settled
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import TASKS, Schedule, in_world
from tests.simulation.services import SERVICES

_SLEPT = 1200.0


async def hold(schedule: Schedule, *, name: str = "shell", **how: object) -> Sandbox | None:
    """Say how a shell of the task is; the sandbox, if it was asked for."""
    call = calls.HoldShell("one", name, **how)  # type: ignore[arg-type]
    sandbox = await schedule.engine.hold_shell(call)
    return schedule.world.sandboxes[sandbox] if sandbox else None


async def asleep(schedule: Schedule) -> None:
    await quiet(schedule)
    await asyncio.sleep(_SLEPT)
    assert schedule.world.running("one") == []


def test_a_shell_delays_sleep_for_an_hour_at_most() -> None:
    """Part 5: an open shell without input does not keep the task awake for ever."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        assert await hold(schedule, open=True) is box
        for minute in range(59):
            await asyncio.sleep(60.0)
            await hold(schedule, idle=60.0 * (minute + 1))
            assert box.running
        for minute in range(59, 70):
            await asyncio.sleep(60.0)
            await hold(schedule, idle=60.0 * (minute + 1))
        assert schedule.world.running("one") == []
        assert schedule.store.tasks.get("one").state is TaskState.IDLE

    in_world(1, work)


@pytest.mark.parametrize("end", ["over", "dead"])
def test_a_shell_that_is_gone_delays_nothing(end: str) -> None:
    """Part 5: whether it said that it ends, or was killed."""

    async def work(schedule: Schedule) -> None:
        await asleep(schedule)
        box = await hold(schedule, open=True)
        assert box is not None
        assert not box.greeted
        assert schedule.store.tasks.get("one").state is TaskState.IDLE
        if end == "over":
            await hold(schedule, over=True)
            await asyncio.sleep(LINGER_SECONDS - 1.0)
            assert box.running  # for the next command
            await asyncio.sleep(10.0)
        else:
            await asyncio.sleep(SILENT_SECONDS - 20.0)
            assert box.running
            await asyncio.sleep(40.0)
        assert schedule.world.running("one") == []
        assert schedule.store.tasks.get("one").state is TaskState.IDLE

    in_world(2, work)


def test_a_message_begins_a_run_where_the_shell_is() -> None:
    """Part 5: one sandbox on a worktree, and the shell goes on."""

    async def work(schedule: Schedule) -> None:
        await asleep(schedule)
        box = await hold(schedule, open=True)
        assert box is not None
        await schedule.send("one")
        await settled(schedule, "one", TaskState.IDLE)
        assert box.greeted
        assert schedule.world.running("one") == [box]
        assert await hold(schedule, name="other", open=True) is box
        check = {"one": schedule.store.runs.last("one")}
        assert check["one"] is not None
        assert check["one"].container == box.id
        await schedule.stop("one")
        check_end(schedule)

    in_world(3, work)


def test_a_run_that_begins_where_the_shell_is_brings_its_login() -> None:
    """The shell needed none, and what the gateway knows of then may be another one."""

    async def work(schedule: Schedule) -> None:
        schedule.world.sealed = True
        await asleep(schedule)
        box = await hold(schedule, open=True)
        assert box is not None
        schedule.world.told_logins.clear()
        await schedule.send("one")
        await settled(schedule, "one", TaskState.IDLE)
        assert box.greeted
        assert schedule.world.told_logins == {f"one/{box.run}": False}
        await schedule.stop("one")

    in_world(9, work)


def test_a_message_with_other_settings_replaces_the_sandbox() -> None:
    """Part 5: what the shell was opened with is not what the run needs."""

    async def work(schedule: Schedule) -> None:
        await asleep(schedule)
        box = await hold(schedule, open=True)
        assert box is not None
        actor = schedule.engine._actors["one"]
        opened = actor.standing.opened
        assert opened is not None
        older = msgspec.structs.replace(box.spec, image="older")
        actor.standing.opened = opened._replace(spec=older)
        await schedule.send("one")
        await settled(schedule, "one", TaskState.IDLE)
        assert box.removed
        assert len(schedule.world.running("one")) == 1

    in_world(4, work)


def test_a_stop_ends_the_sandbox_of_a_shell() -> None:
    """Part 5: a task that was stopped has no sandbox, until somebody asks for one again."""

    async def work(schedule: Schedule) -> None:
        await asleep(schedule)
        assert await hold(schedule, open=True)
        await schedule.stop("one")
        assert schedule.world.running("one") == []
        assert schedule.store.tasks.get("one").state is TaskState.ENDED
        assert await hold(schedule) is None
        assert schedule.world.running("one") == []
        schedule._wake("one")
        box = await hold(schedule, open=True)
        assert schedule.world.running("one") == [box]
        assert schedule.store.tasks.get("one").state is TaskState.ENDED
        await schedule.remove("one")
        with pytest.raises((Conflict, NotFound)):
            await hold(schedule, open=True)

    in_world(5, work)


def test_a_sandbox_that_died_is_replaced_for_the_next_shell() -> None:
    """Part 5: nobody follows a sandbox without a CLI."""

    async def work(schedule: Schedule) -> None:
        await asleep(schedule)
        box = await hold(schedule, open=True)
        assert box is not None
        box.end(137)
        other = await hold(schedule, name="other", open=True)
        assert other is not None
        assert other is not box
        assert schedule.world.running("one") == [other]

    in_world(6, work)


def test_the_next_driver_takes_the_sandbox_of_a_shell_over() -> None:
    """Part 5: a shell goes on when the driver was killed, also where no CLI runs."""

    async def work(schedule: Schedule) -> None:
        await asleep(schedule)
        box = await hold(schedule, open=True)
        assert box is not None
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(30.0)
        await hold(schedule)
        await asyncio.sleep(SILENT_SECONDS - 40.0)
        assert schedule.world.running("one") == [box]
        await hold(schedule, idle=IDLE_SECONDS)
        await asyncio.sleep(10.0)
        assert schedule.world.running("one") == []

    in_world(7, work)


def test_the_next_driver_has_the_gateway_serve_the_sandbox_of_a_shell() -> None:
    """Its first table has only runs on record, and cuts off what is not in it."""

    async def work(schedule: Schedule) -> None:
        schedule.world.sealed = True
        await asleep(schedule)
        box = await hold(schedule, open=True)
        assert box is not None
        served = {f"one/{box.run}"}
        assert schedule.world.open_runs == served
        await schedule.kill_driver()
        schedule.world.open_runs.clear()
        schedule.start_driver()
        await asyncio.sleep(30.0)
        assert schedule.world.open_runs == served
        await hold(schedule, idle=IDLE_SECONDS)
        await asyncio.sleep(10.0)
        assert schedule.world.open_runs == set()

    in_world(8, work)


def test_a_message_that_its_driver_did_not_live_to_carry_out_takes_the_open_sandbox_away() -> None:
    """Services are not made anew under the sandbox of a shell (seeds 541, 604)."""

    async def work(schedule: Schedule) -> None:
        await schedule.start("one", detached=True, services=SERVICES)
        await asyncio.sleep(_SLEPT)
        assert await hold(schedule, open=True) is not None
        schedule.generation.steps_left = 0
        schedule.command("send", lambda: schedule.send("one"))
        await asyncio.sleep(1.0)
        assert schedule.generation.dead
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(30.0)
        assert len(schedule.world.running("one")) == 1
        await settled(schedule, "one", TaskState.WAITING)

    in_world(1, work)


def test_an_engine_that_was_away_when_a_shell_was_wanted_is_no_trouble_for_ever() -> None:
    """The next driver finds a task at rest that waits for nothing of the engine."""

    async def work(schedule: Schedule) -> None:
        await asleep(schedule)
        schedule.world.engine_up = False
        schedule.command("shell", lambda: hold(schedule, open=True))
        await asyncio.sleep(10.0)
        assert schedule.store.tasks.get("one").cause == "engine"
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(30.0)
        schedule.world.heal()
        await asyncio.sleep(60.0)
        assert schedule.store.tasks.get("one").problem == ""

    in_world(1, work)


async def _schedule(schedule: Schedule) -> None:
    """Random deeds, as in the other schedules, with shells among them."""
    for task in TASKS:
        schedule._start(task)
    for _ in range(schedule.random.randint(3, 14)):
        await asyncio.sleep(schedule.random.choice((0, 0.01, 0.3, 2.0, 30.0, 1800.0)))
        if schedule.random.random() < 0.4:
            _shell(schedule, schedule.random.choice(TASKS))
        else:
            await schedule._something()
    await schedule._heal()
    await asyncio.sleep(SILENT_SECONDS * 2)
    check_end(schedule)
    await check_restart(schedule)


def _shell(schedule: Schedule, task: str) -> None:
    schedule._woken[task] = 1
    number = schedule.world.count()
    over = schedule.random.random() < 0.3

    async def work() -> None:
        schedule._wake(task)
        await schedule.engine.hold_shell(calls.HoldShell(task, f"shell-{number}", open=True))
        if over:
            await schedule.engine.hold_shell(calls.HoldShell(task, f"shell-{number}", over=True))

    schedule.command(f"shell of {task}", work)


@pytest.mark.parametrize("portion", range(4))
def test_no_schedule_with_shells_breaks_an_invariant(portion: int) -> None:
    """Part 5: stops, messages, kills and shells in any order."""
    for seed in range(portion * 25, (portion + 1) * 25):
        in_world(seed, _schedule)
