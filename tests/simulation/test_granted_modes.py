"""The mode that a person lets a run work in by an answer: what allows it, and what it costs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ctui.tasks import calls
from ctui.tasks.model import Answer, Ask, AskState, TaskState
from ctui.tasks.store.asks import AskTable
from tests.simulation.hostile_world import (
    ask_line,
    quiet,
    said,
    settled,
    state_line,
    stopped,
    use_line,
)
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import Schedule, in_world

_EDITS = [{"type": "setMode", "mode": "acceptEdits", "destination": "session"}]
_MODE = {"type": "system", "subtype": "status", "permissionMode": "acceptEdits"}

_RECEIPT = {"type": "control_response", "response": {"subtype": "success", "request_id": "edit"}}


async def _asked(schedule: Schedule, box: Sandbox, name: str) -> Ask:
    """Let the task ask for an edit, with the suggestion to allow all."""
    line = ask_line(name, f"call-{name}", "Edit", permission_suggestions=_EDITS)
    await said(schedule, box, state_line("running"), use_line(f"call-{name}", "Edit"), line)
    [ask] = schedule.store.asks.list(AskState.PENDING)
    return ask


@pytest.mark.parametrize(("decision", "alarms"), [("session", 1), ("allow", 2)])
@pytest.mark.parametrize("killed", [False, True])
def test_all_edits_are_allowed_from_the_answer_on_that_says_so(
    decision: Any, alarms: int, killed: bool
) -> None:
    """Before it the mode is an alarm; after it not, nor with the next driver."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        ask = await _asked(schedule, box, "edit")
        assert (await said(schedule, box, _MODE)).alarm_count == 1
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer(decision)))
        if killed:
            await schedule.kill_driver()
            schedule.start_driver()
            await asyncio.sleep(20.0)
        assert (await said(schedule, box, _MODE)).alarm_count == alarms

    in_world(30, work)


@pytest.mark.parametrize(("decision", "alarms"), [("session", 0), ("allow", 1)])
def test_a_plan_is_approved_with_all_its_edits_or_without(decision: Any, alarms: int) -> None:
    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        tool = "ExitPlanMode"
        line = ask_line("plan", "call", tool, input={"plan": "Do it."})
        await said(schedule, box, state_line("running"), use_line("call", tool), line)
        [ask] = schedule.store.asks.list(AskState.PENDING)
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer(decision)))
        assert (await said(schedule, box, _MODE)).alarm_count == alarms

    in_world(33, work)


def test_an_answer_that_came_too_late_allows_no_edits() -> None:
    """The request was withdrawn before the answer had its receipt."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        ask = await _asked(schedule, box, "edit")
        answering = asyncio.ensure_future(
            schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("session")))
        )
        await asyncio.sleep(0)
        withdrawn = {"type": "control_cancel_request", "request_id": "edit"}
        task = await said(schedule, box, _MODE, withdrawn, _MODE)
        assert (await answering).state is AskState.TOO_LATE
        assert task.alarm_count == 1

    in_world(31, work)


def test_the_next_run_has_to_be_allowed_anew() -> None:
    """The CLI begins each run in the mode that was chosen."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        ask = await _asked(schedule, box, "edit")
        answering = schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("session")))
        answered, task = await asyncio.gather(answering, said(schedule, box, _RECEIPT, _MODE))
        assert (answered.state, task.alarm_count) == (AskState.DELIVERED, 0)
        stopping = asyncio.ensure_future(stopped(schedule, "one"))
        await asyncio.sleep(0.1)
        await schedule.send("one")  # before it is stopped: the next run follows at once
        await stopping
        await settled(schedule, "one", TaskState.IDLE)
        [box] = schedule.world.running("one")
        assert (await said(schedule, box, _MODE)).alarm_count == 1

    in_world(33, work)


def test_modes_cost_what_they_are_long_however_much_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The asks are looked through once, not for each line that names a mode."""
    rows, read = 0, AskTable.list

    def counted(self: AskTable, *states: AskState, **where: Any) -> list[Ask]:
        nonlocal rows
        found = read(self, *states, **where)
        rows += len(found)
        return found

    async def work(schedule: Schedule) -> None:
        nonlocal rows
        box = await quiet(schedule, unattended=True)
        lines = [line for n in range(60) for line in (use_line(f"{n}"), ask_line(f"a{n}", f"{n}"))]
        await said(schedule, box, state_line("running"), *lines)
        assert schedule.store.asks.count("one", None, AskState.ANSWERED, AskState.DELIVERED) == 60
        rows = 0
        assert (await said(schedule, box, *[_MODE] * 200)).alarm_count == 200
        assert rows <= 200

    monkeypatch.setattr(AskTable, "list", counted)
    in_world(32, work)
