"""Turns that go on behind their end, wait for a limit or for nobody, or take too long."""

from __future__ import annotations

import asyncio

import pytest

from ctui.claude.mcp.mcp_server import McpServer
from ctui.errors import Refused
from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState, TaskState
from tests.simulation.hostile_world import (
    ask_line,
    asked_for,
    background_line,
    elicitation,
    limit_lines,
    live,
    pending,
    quiet,
    result_line,
    said,
    settled,
    state_line,
    stopped,
    use_line,
)
from tests.simulation.schedule import Schedule, in_world


@pytest.mark.parametrize("detached", [True, False])
def test_what_runs_behind_a_turn_is_neither_slept_over_nor_stopped(detached: bool) -> None:
    """T8: a followed run waits for it, a detached one does not sleep."""

    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [1]
        box = await live(schedule, detached=detached)
        await settled(schedule, "one", TaskState.WAITING)
        started = background_line("task_started")
        await said(schedule, box, started)
        [ask] = schedule.store.asks.list(AskState.PENDING)
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("allow")))
        task = await settled(schedule, "one", TaskState.IDLE)
        assert [one.command for one in task.background] == ["npm run dev"]
        await asyncio.sleep(24 * 3600)
        assert schedule.world.running("one") == [box]
        assert schedule.store.tasks.get("one").works
        ended = background_line("task_updated", patch={"status": "completed"})
        running, idle = state_line("running"), state_line("idle")
        await said(schedule, box, ended, running, result_line(), idle)
        await asyncio.sleep(24 * 3600)
        assert schedule.world.running("one") == []
        assert not schedule.store.tasks.get("one").works

    in_world(15, work)


def test_a_command_that_was_killed_counts_no_more() -> None:
    """T8: a neighbour; no turn follows it, and the task sleeps."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, state_line("running"), background_line("task_started"))
        assert (await said(schedule, box, state_line("idle"))).works
        await said(schedule, box, background_line("task_notification", status="killed"))
        await asyncio.sleep(24 * 3600)
        assert schedule.world.running("one") == []
        assert schedule.store.tasks.get("one").background == ()

    in_world(16, work)


@pytest.mark.parametrize("driver", ["same", "next"])
def test_a_limited_task_goes_on_at_the_reset(driver: str) -> None:
    """T10: what was not answered is asked again, once, at the time that the CLI said."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        prompt = schedule.store.messages.of("one")[0]
        task = await said(schedule, box, *limit_lines(schedule, 3600))
        assert task.cause == "limit"
        assert task.resume_at is not None
        assert 3500 < (task.resume_at - schedule.world.time()) / 1e9 <= 3600
        if driver == "next":
            await schedule.kill_driver()
            schedule.start_driver()
        await asyncio.sleep(3300)
        assert [one.text for one in schedule.store.messages.of("one")] == [prompt.text]
        await asyncio.sleep(600)
        told = schedule.store.messages.of("one")
        assert [one.text for one in told] == [prompt.text, prompt.text]
        task = schedule.store.tasks.get("one")
        assert (task.cause, task.resume_at, task.result) == ("", None, "done")
        assert schedule.world.consumed[told[1].id] == 1

    in_world(17, work)


def test_stop_cancels_what_a_limited_task_would_do() -> None:
    """T10: nothing is sent then, and `resume` repeats what was not answered."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, *limit_lines(schedule, 3600))
        assert (await stopped(schedule, "one")).resume_at is None
        await asyncio.sleep(7200)
        assert schedule.world.running("one") == []
        assert len(schedule.store.messages.of("one")) == 1
        await schedule.engine.resume(calls.ResumeTask("one"))
        await settled(schedule, "one", TaskState.IDLE)
        await asyncio.sleep(5.0)
        assert len(schedule.store.messages.of("one")) == 2
        assert schedule.store.tasks.get("one").problem == ""

    in_world(18, work)


def test_a_limit_that_is_over_already_is_no_loop() -> None:
    """T10: a neighbour; a reset in the past is tried again after a minute."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        task = await said(schedule, box, *limit_lines(schedule, -30))
        assert task.resume_at is not None
        assert (task.resume_at - schedule.world.time()) / 1e9 > 50

    in_world(19, work)


def test_nobody_is_there_for_what_an_unattended_task_asks() -> None:
    """T17: with a plan too, and without permissions; it is denied at once, and said."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule, unattended=True, skip_permissions=True)
        plan = ask_line("plan", "call", "ExitPlanMode", input={"plan": "Do it."})
        lines = [state_line("running"), use_line("call", "ExitPlanMode"), plan]
        await said(schedule, box, *lines)
        assert pending(schedule) == []
        task = await said(schedule, box, result_line(), state_line("idle"))
        assert task.cause == "needs-input"
        assert f'`ctui task send {task.id} "..."`' in task.problem
        [answer] = [one for one in box.heard if one.get("type") == "control_response"]
        assert answer["response"]["response"]["behavior"] == "deny"

    in_world(20, work)


def test_nobody_is_there_for_a_form() -> None:
    """T17: it is closed without an answer, since nobody has declined it."""

    async def work(schedule: Schedule) -> None:
        servers = {"given": McpServer(command="x")}
        box = await quiet(schedule, unattended=True, mcp_servers=servers)
        await said(schedule, box, state_line("running"), elicitation("form", "given"))
        assert pending(schedule) == []
        [ask] = schedule.store.asks.list(AskState.ANSWERED, AskState.DELIVERED)
        assert ask.answer is not None
        assert (ask.answer.decision, ask.answer.message) == ("cancel", "")

    in_world(23, work)


def test_a_turn_that_takes_too_long_is_interrupted() -> None:
    """T17: after the seconds of `--timeout`."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule, timeout=60)
        await said(schedule, box, state_line("running"))
        await asyncio.sleep(50)
        assert asked_for(box, "interrupt") == []
        await asyncio.sleep(20)
        assert len(asked_for(box, "interrupt")) == 1
        assert schedule.store.tasks.get("one").cause == "timeout"

    in_world(21, work)


def test_a_git_directory_that_no_import_reads_keeps_no_sandbox() -> None:
    """T27: the task writes it; it can be stopped, resumed, and removed with what is not home."""

    async def work(schedule: Schedule) -> None:
        schedule.world.unreadable = {"one"}
        box = await quiet(schedule)
        task = await stopped(schedule, "one")
        assert box.removed
        assert task.work is not None
        assert "cannot be read" in task.work.problem
        await schedule.engine.resume(calls.ResumeTask("one"))
        await settled(schedule, "one", TaskState.IDLE)
        with pytest.raises(Refused, match="cannot be read"):
            await schedule.engine.remove(calls.RemoveTask("one", purge=True))
        await schedule.engine.remove(calls.RemoveTask("one", purge=True, force=True))
        assert schedule.world.running("one") == []

    in_world(28, work)
