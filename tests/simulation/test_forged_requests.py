"""What a request that no call of the task caused does, and what it does not."""

from __future__ import annotations

import asyncio

import pytest

from ctui.claude.mcp.mcp_server import McpServer
from ctui.errors import Conflict
from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState
from tests.simulation.hostile_world import (
    ask_line,
    asked_for,
    background_line,
    elicitation,
    kinds,
    pending,
    quiet,
    refused,
    said,
    state_line,
    stopped,
    told_line,
    use_line,
)
from tests.simulation.schedule import Schedule, in_world


@pytest.mark.parametrize("tool", ["ask_user", "AskUserQuestion", "ExitPlanMode", "Bash", ""])
def test_a_request_without_a_call_is_refused(tool: str) -> None:
    """T1, T24: counted, an alarm, and the turn is stopped; the task goes on."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, state_line("running"))
        task = await said(schedule, box, ask_line("forged", "no-call", tool))
        assert pending(schedule) == []
        await asyncio.sleep(5.0)
        assert refused(box) == ["forged"]
        assert len(asked_for(box, "interrupt")) == 1
        assert (kinds(task), task.alarm_count, task.alarms[0].stopped) == (["ask"], 1, True)
        assert "no-call" in task.alarms[0].evidence
        assert task.cause == "alarm"
        assert schedule.world.running("one") == [box]
        await stopped(schedule, "one")

    in_world(1, work)


def test_a_call_is_asked_about_once_while_it_is_open_and_by_its_own_tool() -> None:
    """T24: an answered call, a closed one, and the call of another tool."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(
            schedule, box, state_line("running"), use_line("call"), ask_line("right", "call")
        )
        assert pending(schedule) == ["right"]
        await said(schedule, box, ask_line("again", "call"))
        [ask] = schedule.store.asks.list(AskState.PENDING)
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("allow")))
        await said(schedule, box, ask_line("answered", "call"), told_line("call"))
        await said(schedule, box, ask_line("closed", "call"), use_line("other"))
        task = await said(schedule, box, ask_line("wrong tool", "other", "Write"))
        await asyncio.sleep(5.0)
        assert pending(schedule) == []
        assert refused(box) == ["again", "answered", "closed", "wrong tool"]
        assert task.alarm_count == 4

    in_world(2, work)


def test_a_call_can_be_asked_about_again_when_the_first_request_was_withdrawn() -> None:
    """T24: a neighbour, which is no fault of the task's."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        withdrawn = {"type": "control_cancel_request", "request_id": "first"}
        task = await said(
            schedule, box, state_line("running"), use_line("call"), ask_line("first", "call"),
            withdrawn, ask_line("second", "call"),
        )  # fmt: skip
        assert pending(schedule) == ["second"]
        assert task.alarm_count == 0

    in_world(3, work)


def test_an_alarm_is_not_repeated_by_the_next_driver() -> None:
    """T24: a false request never has an answer, and the next driver reads it again."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await said(schedule, box, state_line("running"), ask_line("forged", "no-call"))
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(20.0)
        assert schedule.store.tasks.get("one").alarm_count == 1
        assert pending(schedule) == []

    in_world(4, work)


@pytest.mark.parametrize("server", ["ctui", "unknown", "", "ctui ", "Given"])
def test_a_form_of_a_server_that_was_not_given_is_refused(server: str) -> None:
    """T3: in ctui's own name, or in any name that is not exactly a given one."""

    async def work(schedule: Schedule) -> None:
        given = {"given": McpServer(type="http", url="http://example.invalid")}
        box = await quiet(schedule, mcp_servers=given)
        line = state_line("running")
        task = await said(schedule, box, line, elicitation("f", server), elicitation("g", "given"))
        await asyncio.sleep(5.0)
        assert refused(box) == ["f"]
        assert pending(schedule) == ["g"]
        assert kinds(task) == ["elicitation"]
        assert task.alarms[0].stopped

    in_world(9, work)


def test_an_ask_says_which_subagent_asks() -> None:
    """T23: by what it was started for, as the CLI told at its start."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        agent = background_line("task_started", task_id="a1", description="Look around")
        call = ask_line("r", "call", agent_id="a1")
        await said(schedule, box, state_line("running"), agent, use_line("call"), call)
        [ask] = schedule.store.asks.list(AskState.PENDING)
        assert b"Look around" in bytes(ask.details)

    in_world(23, work)


def test_a_stopped_task_takes_no_line_of_its_past() -> None:
    """T1: a neighbour; what a sandbox wrote before its end asks nobody afterwards."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await stopped(schedule, "one")
        box.forge(b'{"type":"control_request"}')
        await asyncio.sleep(60)
        assert pending(schedule) == []
        with pytest.raises(Conflict):
            await schedule.engine.interrupt(calls.InterruptTask("one"))

    in_world(26, work)
