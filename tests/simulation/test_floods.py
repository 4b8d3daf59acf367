"""Floods of lines: what is kept of them, and what they cost the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from msgspec import structs

from ctui.claude.mcp.mcp_server import McpServer
from ctui.config import Config, TaskConfig
from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState, Task, TaskState
from tests.simulation.counted_work import counted
from tests.simulation.hostile_lines import written
from tests.simulation.hostile_world import (
    ask_line,
    asked_for,
    elicitation,
    pending,
    quiet,
    refused,
    replied,
    said,
    settled,
    state_line,
    stopped,
    tool_call,
    use_line,
)
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import Schedule, in_world


def _flood(schedule: Schedule, box: Sandbox, count: int) -> Coroutine[Any, Any, Task]:
    """Write so many calls of the tool with which a task asks."""
    lines = [tool_call(f"call-{n}", "ask_user", question="Which?") for n in range(count)]
    return said(schedule, box, state_line("running"), *lines)


def _flooded(count: int) -> int:
    """Return the work that a flood makes."""
    done = 0

    async def work(schedule: Schedule) -> None:
        nonlocal done
        schedule.world.tool_counts = [0]
        box = await quiet(schedule)
        with counted(schedule.store) as counts:
            await _flood(schedule, box, count)
        done = counts.done
        assert len(pending(schedule)) == 64
        await stopped(schedule, "one")

    in_world(10, work)
    return done


def test_a_flood_of_asks_costs_what_it_is_long() -> None:
    """T4: at most 64 are open, and no work grows with the square."""
    few, many = _flooded(2000), _flooded(4000)
    assert many / few < 2.1


def test_another_task_is_answered_during_a_flood() -> None:
    """T4: with 2,000 forged requests of both kinds; each refused one is counted."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        other = await quiet(schedule, "two")
        await said(schedule, other, state_line("running"), use_line("c"), ask_line("honest", "c"))
        for number in range(2000):
            await asyncio.sleep(0)
            box.forge(b'{"type":"system","subtype":"session_state_changed","state":"running"}')
            await_line = ask_line(f"forged-{number}", "no-call")
            box.forge(written(await_line))
        [ask] = schedule.store.asks.list(AskState.PENDING, task="two")
        began = schedule.world.loop.time()
        answer = schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("deny")))
        answering = asyncio.ensure_future(answer)
        while not replied(other):
            assert schedule.world.loop.time() - began < 1.0
            await asyncio.sleep(0.01)
        assert replied(other) == ["honest"]
        assert schedule.store.tasks.get("one").alarm_count < 2000, "the flood was over already"
        assert (await answering).answer is not None
        task = await said(schedule, box)
        await asyncio.sleep(300.0)
        assert schedule.store.tasks.get("one").alarm_count == 2000
        assert len(task.alarms) <= 50
        assert len(refused(box)) == 2000
        assert len(asked_for(box, "interrupt")) < 500
        assert schedule.store.tasks.get("two").alarm_count == 0

    in_world(11, work)


def test_a_flood_of_forms_is_bounded() -> None:
    """T27: of a server that the task was given, with huge schemas; withdrawn ones make room."""

    async def work(schedule: Schedule) -> None:
        server = {"given": McpServer(type="http", url="http://example.invalid")}
        box = await quiet(schedule, mcp_servers=server)
        fields = {f"field-{n}": {"type": "string", "title": "\x1b[2J" * 9} for n in range(900)}
        schema = {"requested_schema": {"type": "object", "properties": fields}}
        forms = [elicitation(f"form-{n}", "given") for n in range(300)]
        for form in forms:
            form["request"] |= schema
        task = await said(schedule, box, state_line("running"), *forms)
        await asyncio.sleep(60)
        assert len(pending(schedule)) == 64
        assert len(refused(box)) == 300 - 64
        assert task.alarm_count == 0
        asks = schedule.store.asks.list(AskState.PENDING)
        assert all(len(bytes(ask.details)) < 64 << 10 for ask in asks)
        withdrawn = {"type": "control_cancel_request", "request_id": "form-0"}
        await said(schedule, box, withdrawn, elicitation("late", "given"))
        assert pending(schedule)[-1] == "late"
        await stopped(schedule, "one")

    in_world(27, work)


def test_a_flood_of_notices_is_bounded() -> None:
    """T27: at most twenty a minute reach the person; the task is told so."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        notices = [tool_call(f"n-{n}", "notify_user", message=f"Note {n}") for n in range(500)]
        await said(schedule, box, *notices)
        await asyncio.sleep(120)
        journal = (schedule.folder / "one/journal.jsonl").read_text()
        assert journal.count('\\"kind\\":\\"notified\\"') == 20
        late = tool_call("late", "notify_user", message="Later")
        await said(schedule, box, late)
        await asyncio.sleep(5.0)
        answers = [one["response"] for one in box.heard if one.get("type") == "control_response"]
        assert len(answers) == 501
        journal = (schedule.folder / "one/journal.jsonl").read_text()
        assert journal.count('\\"kind\\":\\"notified\\"') == 21

    in_world(24, work)


def test_a_flood_of_lost_lines_repeats_what_has_no_receipt_a_few_times() -> None:
    """T27: a neighbour; the queue to the task does not grow with the task's own lines."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        before = len(box.heard)
        for _ in range(2000):
            box.forge(b'{"ctui_relay": "dropped", "bytes": 9}', "err")
        await said(schedule, box)
        await schedule.engine.send(calls.SendMessage("one", "message-more", "more"))
        await asyncio.sleep(60)
        assert len(box.heard) - before < 20
        assert schedule.world.consumed["message-more"] == 1

    in_world(25, work)


def test_lines_that_no_archive_keeps_count_against_the_journal() -> None:
    """T5: the engine's log has them; also for a driver that takes over."""

    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [0]
        config = structs.replace(Config(), tasks=TaskConfig(journal="1m"))
        start = calls.StartTask(
            task="one",
            repository="/repository/.git",
            worktree="/worktrees/one",
            metadata=None,
            branch=None,
            base=None,
            prompt="go",
            config=config,
        )
        await schedule.engine.start(start)
        await settled(schedule, "one", TaskState.IDLE)
        [box] = schedule.world.running("one")
        await said(schedule, box, state_line("running"))
        part = b'{"type":"stream_event","x":"' + b"x" * 1000 + b'"}'
        for _ in range(2000):
            if box.paused:
                break
            box.forge(part)
            await asyncio.sleep(0.01)
        task = await settled(schedule, "one", TaskState.WAITING)
        assert task.paused == "journal"
        assert "tasks.journal" in task.problem
        written_bytes = sum(len(line.data) for line in box.log)
        assert 1 << 20 < written_bytes < 3 << 19
        await schedule.kill_driver()
        schedule.start_driver()
        await asyncio.sleep(20)
        assert schedule.engine._actors["one"].standing.view.log_bytes == written_bytes
        assert schedule.store.tasks.get("one").paused == "journal"
        await stopped(schedule, "one")

    in_world(30, work)


def test_replies_to_forged_calls_are_kept_within_a_budget() -> None:
    """T27: none of them has an echo; what the person says is kept until it has."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        channel = schedule.engine._actors["one"]._channel
        assert channel is not None
        channel.send(b'{"type":"kept"}\n', key="the person's")
        await said(schedule, box, *(tool_call(f"few-{n}", "nothing") for n in range(3000)))
        assert 900 < len(channel._unseen) <= 1010
        assert "few-2999" in channel._unseen
        large = {"method": "none", "id": "x" * (1 << 20)}
        call = {"subtype": "mcp_message", "server_name": "ctui", "message": large}
        for number in range(30):
            line = {"type": "control_request", "request_id": f"large-{number}", "request": call}
            await said(schedule, box, line)
        assert sum(map(len, channel._unseen.values())) < 5 << 20
        assert "the person's" in channel._unseen
        await stopped(schedule, "one")

    in_world(29, work)
