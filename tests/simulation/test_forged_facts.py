"""Modes, figures and sessions that a task tells: which of them count."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests.simulation.hostile_world import (
    asked_for,
    init_line,
    kinds,
    quiet,
    result_line,
    said,
    settled,
    state_line,
)
from tests.simulation.schedule import Schedule, in_world


@pytest.mark.parametrize("mode", ["acceptEdits", "bypassPermissions", "dontAsk", "auto"])
@pytest.mark.parametrize("kind", ["status", "init"])
def test_a_mode_that_nobody_chose_stops_the_turn(kind: str, mode: str) -> None:
    """T2: by `status` or `init`; the mode is set back, and the alarm is shown."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        line = {"type": "system", "subtype": kind, "permissionMode": mode}
        task = await said(schedule, box, state_line("running"), *[line] * 50)
        await asyncio.sleep(5.0)
        assert kinds(task)[0] == "mode"
        assert mode in task.alarms[0].text
        assert (task.cause, task.alarm_count) == ("alarm", 50)
        assert 1 <= len(asked_for(box, "interrupt")) < 50
        assert {one["mode"] for one in asked_for(box, "set_permission_mode")} == {"default"}
        assert len(asked_for(box, "set_permission_mode")) < 50

    in_world(7, work)


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({"permission_mode": "acceptEdits"}, "acceptEdits"),
        ({"skip_permissions": True}, "bypassPermissions"),
        ({}, "plan"),
        ({"permission_mode": "acceptEdits"}, "default"),
    ],
)
def test_a_mode_that_was_chosen_or_asks_more_is_no_alarm(
    options: dict[str, Any], mode: str
) -> None:
    """T2: a neighbour; the person's own choice."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule, **options)
        assert (await said(schedule, box, init_line(mode=mode))).alarm_count == 0

    in_world(8, work)


@pytest.mark.parametrize(
    "wrong",
    [
        {"usage": {"input_tokens": -5, "output_tokens": 1}},
        {"usage": {"input_tokens": 10**12}},
        {"total_cost_usd": -1.0},
        {"total_cost_usd": 0.001},
        {"total_cost_usd": 1e9},
    ],
)
def test_figures_never_fall_and_are_never_negative(wrong: dict[str, Any]) -> None:
    """T6: nor do they grow beyond what can be."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        right = {"total_cost_usd": 0.5, "usage": {"input_tokens": 10, "output_tokens": 20}}
        before = await said(schedule, box, result_line(**right))
        task = await said(schedule, box, result_line(**wrong))
        assert kinds(task) == ["figures"]
        assert not task.alarms[0].stopped
        assert task.cost == before.cost == 0.5
        assert task.input_tokens == before.input_tokens
        assert task.output_tokens >= before.output_tokens

    in_world(12, work)


_OTHER = "11111111-1111-4111-8111-111111111111"


def test_the_session_is_the_first_one() -> None:
    """T6: a second `init` with another session is an alarm, and changes nothing."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        before = schedule.store.tasks.get("one").session
        task = await said(schedule, box, init_line(before), init_line(_OTHER), init_line("none"))
        assert task.session == before
        assert kinds(task) == ["session"]

    in_world(13, work)


def test_the_person_begins_another_session_by_clear() -> None:
    """T6: a neighbour; `/clear` of the person's own."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        await schedule.engine.send(calls.SendMessage("one", "message-clear", "/clear"))
        task = await said(schedule, box, init_line(_OTHER))
        assert (task.session, task.alarm_count) == (_OTHER, 0)

    in_world(14, work)


def test_the_cost_goes_on_after_sleep() -> None:
    """T23: the CLI counts anew in each process."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        task = await said(schedule, box, result_line(total_cost_usd=0.5))
        assert task.cost == 0.5
        await asyncio.sleep(24 * 3600)
        assert not box.running
        await schedule.engine.send(calls.SendMessage("one", "message-more", "more"))
        await settled(schedule, "one", TaskState.IDLE)
        await asyncio.sleep(5.0)
        task = schedule.store.tasks.get("one")
        assert round(task.cost, 4) == 0.51
        assert task.alarm_count == 0

    in_world(22, work)


def test_a_cli_that_the_kernel_does_not_hide_is_an_alarm_once() -> None:
    """The relay says it in each run; the person can do something about it, or not."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        for _ in range(2):
            box.forge(b'{"ctui_relay": "exposed", "pid": 7}', "err")
        task = await said(schedule, box)
        assert kinds(task) == ["exposed"]
        assert "fs.suid_dumpable" in task.alarms[0].text
        assert asked_for(box, "interrupt") == []

    in_world(28, work)
