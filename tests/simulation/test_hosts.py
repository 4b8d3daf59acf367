"""Hosts that a run wants to reach, and what becomes of the asks for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ctui.tasks import calls
from ctui.tasks.asks import ask_lines
from ctui.tasks.mailbox.mail import HostAsked, HostGone
from ctui.tasks.model import Answer, Ask, AskState, TaskState
from tests.simulation.hostile_world import live, settled, stopped
from tests.simulation.schedule import Schedule, in_world


def _wanted(request: str, host: str = "registry.example", run: int = 1) -> HostAsked:
    return HostAsked(run=run, request=request, host=host, port=443, program="npm")


async def _asked(schedule: Schedule, request: str, host: str = "registry.example") -> Ask:
    """Let the run want a host, and return the ask."""
    schedule.engine.tell("one", _wanted(request, host))
    return await _pending(schedule, request)


async def _pending(schedule: Schedule, request: str) -> Ask:
    for _ in range(1000):
        await asyncio.sleep(0.05)
        for ask in schedule.store.asks.list(AskState.PENDING, task="one"):
            if ask.request == request:
                return ask
    raise AssertionError("it is not asked")


async def _working(schedule: Schedule, **options: Any) -> None:
    """Start a task whose CLI waits for the answer to a tool."""
    schedule.world.tool_counts = [1]
    await live(schedule, **options)
    await settled(schedule, "one", TaskState.WAITING)


async def _decided(schedule: Schedule, request: str) -> bool:
    for _ in range(1000):
        if request in schedule.world.decided:
            return schedule.world.decided[request]
        await asyncio.sleep(0.05)
    raise AssertionError("the gateway was told nothing")


@pytest.mark.parametrize(
    ("decision", "allowed", "kept"),
    [
        ("allow", True, None),
        ("session", True, ("allow", "one")),
        ("always", True, ("allow", "")),
        ("deny", False, ("deny", "one")),
    ],
)
def test_an_answer_lets_it_go_on_and_is_kept_as_far_as_it_says(
    decision: str, allowed: bool, kept: tuple[str, str] | None
) -> None:
    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        ask = await _asked(schedule, "w1")
        answered = await schedule.engine.answer(
            calls.AnswerAsk(ask.id, Answer(decision))  # type: ignore[arg-type]
        )
        assert answered.state is AskState.DELIVERED
        assert await _decided(schedule, "w1") is allowed
        rules = schedule.store.host_rules.of("/repository/.git", "one")
        found = [(rule.effect, rule.task) for rule in rules if rule.host == "registry.example"]
        assert found == ([kept] if kept else [])
        for rule in schedule.store.host_rules.all():
            schedule.store.host_rules.forget(rule.id)
        await stopped(schedule, "one")

    in_world(11, work)


def test_what_nothing_waits_for_any_more_is_not_asked_any_more() -> None:
    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        ask = await _asked(schedule, "w1")
        schedule.engine.tell("one", HostGone(request="w1"))
        await asyncio.sleep(5.0)
        assert schedule.store.asks.get(ask.id).state is AskState.CANCELLED
        await stopped(schedule, "one")

    in_world(12, work)


@pytest.mark.parametrize("killed", [False, True])
def test_a_gateway_that_was_killed_leaves_no_ask(killed: bool) -> None:
    """It cannot say that nothing waits any more; neither can one whose driver was away then."""

    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        ask = await _asked(schedule, "w1")
        if killed:
            await schedule.kill_driver()
            await asyncio.sleep(60.0)
            schedule.start_driver()
            await settled(schedule, "one", TaskState.WAITING)
        await asyncio.sleep(60.0)
        assert schedule.store.asks.get(ask.id).state is AskState.CANCELLED
        await stopped(schedule, "one")

    in_world(18, work)


def test_an_answer_arrives_though_its_driver_was_killed_before_it_told_it() -> None:
    """The gateway asks the next driver again, and the person answered already."""

    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        ask = await _asked(schedule, "w1")
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("allow")))
        await schedule.kill_driver()
        schedule.world.decided.clear()
        schedule.start_driver()
        await settled(schedule, "one", TaskState.WAITING)
        schedule.engine.tell("one", _wanted("w1"))
        assert await _decided(schedule, "w1") is True
        await stopped(schedule, "one")

    in_world(19, work)


def test_nobody_is_asked_for_a_task_that_nobody_attends_to() -> None:
    """It is refused at once, which is said once, and the turn is not one that needs input."""

    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [0]
        await live(schedule, unattended=True)
        for number in range(1, 4):
            schedule.engine.tell("one", _wanted(f"w{number}"))
            assert await _decided(schedule, f"w{number}") is False
        said = (schedule.folder / "one" / "journal.jsonl").read_text()
        assert said.count("`ctui network allow registry.example` lets tasks reach it") == 1
        await settled(schedule, "one", TaskState.IDLE)
        assert schedule.store.tasks.get("one").problem == ""
        await stopped(schedule, "one")

    in_world(13, work)


def test_a_task_that_rests_and_an_older_run_reach_nothing() -> None:
    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        schedule.engine.tell("one", _wanted("older", run=7))
        assert await _decided(schedule, "older") is False
        await stopped(schedule, "one")
        schedule.engine.tell("one", _wanted("late"))
        assert await _decided(schedule, "late") is False
        assert schedule.store.asks.list(AskState.PENDING) == []

    in_world(14, work)


def test_an_ask_for_a_host_outlives_the_driver_and_ends_with_the_run() -> None:
    """The gateway says it again to each driver, and it is one ask."""

    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        ask = await _asked(schedule, "w1")
        await schedule.kill_driver()
        schedule.start_driver()
        await settled(schedule, "one", TaskState.WAITING)
        again = await _asked(schedule, "w1")
        assert again.id == ask.id
        await stopped(schedule, "one")
        assert schedule.store.asks.get(ask.id).state is AskState.CANCELLED

    in_world(16, work)


def test_a_run_asks_for_no_more_hosts_than_for_anything_else() -> None:
    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        for number in range(100):
            schedule.engine.tell("one", _wanted(f"w{number}", f"h{number}.example"))
        assert await _decided(schedule, "w99") is False
        assert len(schedule.store.asks.list(AskState.PENDING, task="one")) == 64
        await stopped(schedule, "one")

    in_world(17, work)


def _key_wanted(request: str, run: int = 1, port: int = 22) -> HostAsked:
    return HostAsked(
        run=run, request=request, host="git.example", port=port, program="", key="~/.ssh/id"
    )


def test_a_key_is_asked_for_once_in_a_task() -> None:
    """The next signature, also of the next driver and of the next run, needs no answer."""

    async def work(schedule: Schedule) -> None:
        await _working(schedule)
        schedule.engine.tell("one", _key_wanted("k1"))
        ask = await _pending(schedule, "k1")
        assert "~/.ssh/id" in "\n".join(ask_lines(ask))
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("allow")))
        assert await _decided(schedule, "k1") is True
        schedule.engine.tell("one", _key_wanted("k2"))
        assert await _decided(schedule, "k2") is True
        await schedule.kill_driver()
        schedule.start_driver()
        await settled(schedule, "one", TaskState.WAITING)
        schedule.engine.tell("one", _key_wanted("k3"))
        assert await _decided(schedule, "k3") is True
        asked = {ask.request for ask in schedule.store.asks.list(*AskState, task="one")}
        assert asked & {"k1", "k2", "k3"} == {"k1"}
        rules = schedule.store.host_rules.all()
        assert [(rule.host, rule.effect, rule.task) for rule in rules] == [
            ("git.example:22", "sign", "one")
        ]
        await stopped(schedule, "one")
        for rule in rules:
            schedule.store.host_rules.forget(rule.id)

    in_world(31, work)


def test_a_host_that_is_allowed_is_not_signed_in_at() -> None:
    """That it may be reached does not say that a key may be used there."""

    async def work(schedule: Schedule) -> None:
        schedule.store.host_rules.set("git.example:22", "allow", 1, "", "")
        await _working(schedule)
        schedule.engine.tell("one", _key_wanted("k1"))
        ask = await _pending(schedule, "k1")
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("deny")))
        assert await _decided(schedule, "k1") is False
        await stopped(schedule, "one")
        for rule in schedule.store.host_rules.all():
            schedule.store.host_rules.forget(rule.id)

    in_world(32, work)


def test_a_key_is_refused_where_nobody_is_there_and_the_line_says_what_helps() -> None:
    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [1]
        await live(schedule, unattended=True)
        for port in (22, 443):  # at which some hosts take ssh as well
            schedule.engine.tell("one", _key_wanted(f"k{port}", port=port))
            assert await _decided(schedule, f"k{port}") is False
            said = (schedule.folder / "one" / "journal.jsonl").read_text()
            assert f"ctui network sign git.example:{port}" in said
        await stopped(schedule, "one")

    in_world(33, work)
