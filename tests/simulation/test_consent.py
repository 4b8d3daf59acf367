"""Consent to an environment by the inbox: asked once, bound to its hash, also across drivers."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from ctui.errors import Conflict
from ctui.tasks import calls
from ctui.tasks.asks import ask_lines
from ctui.tasks.model import Answer, Ask, AskKind, AskState, EndReason, Task, TaskState
from tests.simulation.hostile_world import settled
from tests.simulation.schedule import Schedule, in_world
from tests.simulation.services import SERVICES


async def waiting(schedule: Schedule) -> Ask:
    """Start a task whose environment nobody has consented to, and return what it asks."""
    schedule.world.tool_counts = [0]
    schedule.world.services.never_ready = 0.0
    await schedule.start("one", detached=True, environment_due="worktree")
    await settled(schedule, "one", TaskState.WAITING)
    return pending(schedule)[0]


def pending(schedule: Schedule) -> list[Ask]:
    return schedule.store.asks.list(AskState.PENDING, task="one")


def task(schedule: Schedule) -> Task:
    return schedule.store.tasks.get("one")


async def answer(schedule: Schedule, ask: Ask, decision: str = "allow") -> Ask:
    call = calls.AnswerAsk(ask.id, Answer(decision))  # type: ignore[arg-type]
    return await schedule.engine.answer(call)


def test_the_task_begins_in_it_with_consent() -> None:
    """The ask shows what is built; until then nothing runs, and no place among runs is taken."""

    async def work(schedule: Schedule) -> None:
        ask = await waiting(schedule)
        assert ask.kind is AskKind.ENVIRONMENT
        assert "    runs: first" in ask_lines(ask)
        assert task(schedule).cause == "consent"
        assert not task(schedule).failed
        assert schedule.world.sandboxes == {}
        assert (await answer(schedule, ask)).state is AskState.DELIVERED
        begun = await settled(schedule, "one", TaskState.IDLE)
        assert begun.options.environment == "first"
        assert begun.options.volumes == {"/data": "data"}
        assert begun.options.services == SERVICES
        assert len(schedule.world.services.left("one")) == 1 + len(SERVICES)
        assert begun.options.environment_due == ""
        assert begun.problem == ""

    in_world(1, work)


def test_it_is_still_asked_after_the_drivers_death_and_once() -> None:
    async def work(schedule: Schedule) -> None:
        ask = await waiting(schedule)
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(60.0)
        assert [one.id for one in pending(schedule)] == [ask.id]
        await answer(schedule, ask)
        await schedule.kill_driver()  # the answer is stored with the queue
        schedule.start_driver()
        begun = await settled(schedule, "one", TaskState.IDLE)
        assert begun.options.environment == "first"
        with pytest.raises(Conflict):
            await answer(schedule, ask, "deny")

    in_world(2, work)


def test_an_answer_is_to_nothing_but_what_was_shown() -> None:
    """Another definition is asked about again; one that goes back to what was allowed is not."""

    async def work(schedule: Schedule) -> None:
        first = await waiting(schedule)
        schedule.world.environment = "second"
        await answer(schedule, first)
        await asyncio.sleep(60.0)
        [second] = pending(schedule)
        assert "    runs: second" in ask_lines(second)
        assert task(schedule).state is TaskState.WAITING
        schedule.world.environment = "first"
        await schedule.engine.resume(calls.ResumeTask("one"))
        begun = await settled(schedule, "one", TaskState.IDLE)
        assert begun.options.environment == "first"
        assert schedule.store.asks.get(second.id).state is AskState.CANCELLED

    in_world(3, work)


def test_without_consent_it_ends_and_asks_again_when_resumed() -> None:
    async def work(schedule: Schedule) -> None:
        await answer(schedule, await waiting(schedule), "deny")
        ended = await settled(schedule, "one", TaskState.ENDED)
        assert ended.reason is EndReason.FAILED
        assert "ctui task resume one" in ended.problem
        assert schedule.world.sandboxes == {}
        await schedule.engine.resume(calls.ResumeTask("one"))
        await settled(schedule, "one", TaskState.WAITING)
        assert len(pending(schedule)) == 1

    in_world(4, work)


@pytest.mark.parametrize("how", ["stop", "remove"])
def test_it_can_be_ended_while_it_asks(how: str) -> None:
    async def work(schedule: Schedule) -> None:
        ask = await waiting(schedule)
        if how == "stop":
            await schedule.engine.stop(calls.StopTask("one"))
            assert task(schedule).reason is EndReason.STOPPED
        else:
            await schedule.engine.remove(calls.RemoveTask("one"))
        assert schedule.store.asks.get(ask.id).state is AskState.CANCELLED
        with pytest.raises(Conflict):
            await answer(schedule, ask)

    in_world(5, work)


def test_a_message_does_not_ask_twice_and_an_unattended_one_ends_it() -> None:
    async def work(schedule: Schedule) -> None:
        ask = await waiting(schedule)
        more = calls.SendMessage(id="a", task="one", text="more")
        await schedule.engine.send(more)
        await settled(schedule, "one", TaskState.WAITING)
        assert [one.id for one in pending(schedule)] == [ask.id]
        await schedule.engine.send(msgspec.structs.replace(more, id="b", unattended=True))
        ended = await settled(schedule, "one", TaskState.ENDED)
        assert ended.cause == "needs-input"
        assert pending(schedule) == []

    in_world(6, work)


def test_no_shell_is_opened_in_another_image_meanwhile() -> None:
    async def work(schedule: Schedule) -> None:
        await waiting(schedule)
        with pytest.raises(Conflict, match="not built yet"):
            await schedule.engine.hold_shell(calls.HoldShell("one", "shell", open=True))
        assert schedule.world.sandboxes == {}

    in_world(7, work)
