"""What one hostile line does, and what it does not: each with its right value."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from msgspec import structs

from ctui.claude.mcp.mcp_servers import McpServer
from ctui.config import Config, TaskConfig
from ctui.errors import Conflict, Refused
from ctui.tasks import calls
from ctui.tasks.mailbox.mail import Lines, Send
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Answer, AskState, Task, TaskState
from ctui.tasks.runs import dispatch
from tests.simulation.counted_work import counted
from tests.simulation.hostile_lines import written
from tests.simulation.hostile_world import (
    ask_line,
    asked_for,
    live,
    pending,
    quiet,
    refused,
    replied,
    said,
    settled,
    state_line,
    stopped,
    told_line,
    tool_call,
    use_line,
)
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import Schedule, in_world
from tests.simulation.world import Broken


def kinds(task: Task) -> list[str]:
    return [alarm.kind for alarm in task.alarms]


def elicitation(request: str, server: str) -> dict[str, Any]:
    form = {"subtype": "elicitation", "mcp_server_name": server, "message": "Paste a new token:"}
    return {"type": "control_request", "request_id": request, "request": form}


def init_line(session: str = "", mode: str = "default") -> dict[str, Any]:
    return {"type": "system", "subtype": "init", "session_id": session, "permissionMode": mode}


def result_line(**more: Any) -> dict[str, Any]:
    return {"type": "result", "subtype": "success", "is_error": False, "result": "done", **more}


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


def test_a_mistake_of_the_driver_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """T1: an exception while a line is taken stops the sandbox, and the task has failed."""
    handle = dispatch._HANDLERS[Lines]

    def wrong(step: Step, mail: Lines) -> None:
        if any(b"poison" in line.data for line in mail.lines):
            raise ValueError("a mistake of ours")
        handle(step, mail)

    monkeypatch.setitem(dispatch._HANDLERS, Lines, wrong)

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

    with pytest.raises(Broken, match="ctui made a mistake"):
        in_world(5, work)


def test_a_mistake_in_a_command_refuses_it_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T1: a neighbour; whoever gave the command hears of it."""

    def wrong(_step: Step, _mail: Send) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setitem(dispatch._HANDLERS, Send, wrong)

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        with pytest.raises(Exception, match="a mistake of ours"):
            await schedule.engine.send(calls.SendMessage("one", "message-x", "more"))
        assert schedule.world.running("one") == [box]
        assert schedule.store.tasks.get("one").state is TaskState.IDLE

    with pytest.raises(Broken, match="ctui made a mistake"):
        in_world(6, work)


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


def _background(phase: str, **more: Any) -> dict[str, Any]:
    known = {"task_id": "bg", "task_type": "local_bash", "description": "npm run dev"}
    return {"type": "system", "subtype": phase, **known, **more}


@pytest.mark.parametrize("detached", [True, False])
def test_what_runs_behind_a_turn_is_neither_slept_over_nor_stopped(detached: bool) -> None:
    """T8: a followed run waits for it, a detached one does not sleep."""

    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [1]
        box = await live(schedule, detached=detached)
        await settled(schedule, "one", TaskState.WAITING)
        started = _background("task_started")
        await said(schedule, box, started)
        [ask] = schedule.store.asks.list(AskState.PENDING)
        await schedule.engine.answer(calls.AnswerAsk(ask.id, Answer("allow")))
        task = await settled(schedule, "one", TaskState.IDLE)
        assert [one.command for one in task.background] == ["npm run dev"]
        await asyncio.sleep(24 * 3600)
        assert schedule.world.running("one") == [box]
        assert schedule.store.tasks.get("one").works
        ended = _background("task_updated", patch={"status": "completed"})
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
        await said(schedule, box, state_line("running"), _background("task_started"))
        assert (await said(schedule, box, state_line("idle"))).works
        await said(schedule, box, _background("task_notification", status="killed"))
        await asyncio.sleep(24 * 3600)
        assert schedule.world.running("one") == []
        assert schedule.store.tasks.get("one").background == ()

    in_world(16, work)


def _limit(schedule: Schedule, seconds: int) -> list[dict[str, Any]]:
    """Return the lines of a turn that meets a usage limit; measured with the real CLI."""
    reset = schedule.world.time() // 10**9 + seconds
    told = {"status": "rejected", "resetsAt": reset, "rateLimitType": "five_hour"}
    text = "You've hit your session limit · resets 2:14pm (UTC)"
    return [
        state_line("running"),
        {"type": "rate_limit_event", "rate_limit_info": told},
        result_line(is_error=True, api_error_status=429, result=text),
        state_line("idle"),
    ]


@pytest.mark.parametrize("driver", ["same", "next"])
def test_a_limited_task_goes_on_at_the_reset(driver: str) -> None:
    """T10: what was not answered is asked again, once, at the time that the CLI said."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        prompt = schedule.store.messages.of("one")[0]
        task = await said(schedule, box, *_limit(schedule, 3600))
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
        await said(schedule, box, *_limit(schedule, 3600))
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
        task = await said(schedule, box, *_limit(schedule, -30))
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


def test_an_ask_says_which_subagent_asks() -> None:
    """T23: by what it was started for, as the CLI told at its start."""

    async def work(schedule: Schedule) -> None:
        box = await quiet(schedule)
        agent = _background("task_started", task_id="a1", description="Look around")
        call = ask_line("r", "call", agent_id="a1")
        await said(schedule, box, state_line("running"), agent, use_line("call"), call)
        [ask] = schedule.store.asks.list(AskState.PENDING)
        assert b"Look around" in bytes(ask.details)

    in_world(23, work)


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
