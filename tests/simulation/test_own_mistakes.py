"""What a mistake of ctui's own ends, and what goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ctui.tasks import calls
from ctui.tasks.mailbox.mail import Lines, Send
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import TaskState
from ctui.tasks.runs import dispatch
from tests.simulation.hostile_world import quiet, settled, stopped
from tests.simulation.schedule import Schedule, in_world
from tests.simulation.world import Broken

_MADE = r"^seed \d+: Broken\(.ctui made a mistake"
"""Begin of what breaks such a world, and not the words of a check in it that failed."""


def test_a_mistake_of_the_driver_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """T1: an exception while a line is taken stops the sandbox, and the task has failed."""
    handle = dispatch._HANDLERS[Lines]

    def wrong(step: Step, mail: Lines) -> None:
        if any(b"poison" in line.data for line in mail.lines):
            raise ValueError("a mistake of ours")
        handle(step, mail)

    handlers: dict[Any, Any] = dispatch._HANDLERS
    monkeypatch.setitem(handlers, Lines, wrong)

    async def work(schedule: Schedule) -> None:
        other = await quiet(schedule, "two")
        box = await quiet(schedule)
        box.forge(b"poison")
        task = await settled(schedule, "one", TaskState.ENDED)
        assert task.reason == "failed"
        assert "a mistake of ours" in task.problem
        assert not box.running
        assert box.removed
        assert schedule.world.running("two") == [other]
        assert (await stopped(schedule, "one")).state is TaskState.ENDED

    with pytest.raises(Broken, match=_MADE):
        in_world(5, work)


def test_a_mistake_in_a_command_refuses_it_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T1: a neighbour; whoever gave the command hears of it."""

    def wrong(_step: Step, _mail: Send) -> None:
        raise ValueError("a mistake of ours")

    handlers: dict[Any, Any] = dispatch._HANDLERS
    monkeypatch.setitem(handlers, Send, wrong)

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        with pytest.raises(Exception, match="a mistake of ours"):
            await schedule.engine.send(calls.SendMessage("one", "message-x", "more"))
        assert schedule.world.running("one") == [box]
        assert schedule.store.tasks.get("one").state is TaskState.IDLE

    with pytest.raises(Broken, match=_MADE):
        in_world(6, work)


def test_a_mistake_with_a_snapshot_holds_up_no_later_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is said to the next run waits for no snapshot that is over."""
    taken = dispatch._JOBS[None, "snapshot"]
    wrong = iter([ValueError("a mistake of ours")])

    def once(step: Step, result: Any, error: BaseException | None) -> None:
        for mistake in wrong:
            raise mistake
        taken(step, result, error)

    monkeypatch.setitem(dispatch._JOBS, (None, "snapshot"), once)

    async def work(schedule: Schedule) -> None:
        await schedule.start("one", detached=True)
        await settled(schedule, "one", TaskState.ENDED)
        await schedule.engine.send(calls.SendMessage("one", "message-x", "more"))
        await asyncio.sleep(30)  # of the world's time
        assert schedule.store.messages.undelivered("one") == []

    with pytest.raises(Broken, match=_MADE):
        in_world(5, work)


def test_what_fails_unheard_breaks_a_world() -> None:
    """A job that nobody waits for is found out, though it stops nothing."""

    async def fails() -> None:
        raise ValueError("a mistake of ours")

    async def work(_schedule: Schedule) -> None:
        asyncio.create_task(fails())  # noqa: RUF006 - nobody waits for it
        await asyncio.sleep(1.0)

    with pytest.raises(Broken, match=r"told to nobody.*a mistake of ours"):
        in_world(1, work)
