"""What a task writes in the CLI's name, through the whole mailbox of a real driver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctui.tasks.model import AskState, TaskState
from tests.simulation.hostile_lines import LINES, Line, written
from tests.simulation.hostile_world import live, stopped
from tests.simulation.schedule import Schedule, in_world

_MB = 1 << 20


def proved(schedule: Schedule) -> None:
    """Check what must hold at every moment."""
    store = schedule.store
    open_runs = {(run.task, run.number): run for run in store.runs.open()}
    for ask in store.asks.list(AskState.PENDING, AskState.ANSWERED):
        if (ask.task, ask.run) not in open_runs:
            raise schedule.world.breaks(f"ask {ask.id} has no run")
    for task in store.tasks.list():
        if task.state is TaskState.WAITING and task.cause != "login":
            run = next((one for one in open_runs.values() if one.task == task.id), None)
            if run is None:
                raise schedule.world.breaks(f"{task.id} waits without a run")
    if len(store.asks.list(AskState.PENDING)) > 64:
        raise schedule.world.breaks("more asks are open than may be")


async def forged(schedule: Schedule, lines: Sequence[Line]) -> None:
    """Let one task write the lines; another one must not notice."""
    await live(schedule, "two")
    await live(schedule, "one")
    for stream, line in lines:
        for box in schedule.world.running("one"):
            if not box.paused:  # a line of before may have said too much of its home
                box.forge(line, stream)
        await asyncio.sleep(schedule.random.choice((0, 0, 0.01, 1.0)))
        proved(schedule)
    await asyncio.sleep(5.0)
    proved(schedule)
    before = schedule.store.tasks.get("one")
    assert before.cost >= 0
    assert before.input_tokens >= 0
    await schedule.kill_driver()
    schedule.start_driver()
    await asyncio.sleep(5.0)
    proved(schedule)
    await stopped(schedule, "one")
    assert not schedule.store.tasks.get("two").alarm_count
    await stopped(schedule, "two")


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(st.lists(LINES, max_size=12), st.integers(0, 1000))
def test_no_line_leaves_the_mailbox_of_its_task(lines: list[Line], seed: int) -> None:
    """T1, T24, T27: every kind of line, in any order, with every field missing or mistyped.

    A mistake of ctui's is logged, and breaks the world (`schedule.mistakes`).
    """
    in_world(seed, lambda schedule: forged(schedule, lines))


_HUGE = "x" * (16 * _MB)
_BIG_LINES: dict[str, Callable[[], Any]] = {
    "input": lambda: _request(tool_name="Bash", tool_use_id="t", input={"command": _HUGE}),
    "tool": lambda: _request(tool_name=_HUGE, tool_use_id="t", input={}),
    "id": lambda: {**_request(tool_name="Bash", tool_use_id="t", input={}), "request_id": _HUGE},
    "form": lambda: _request("elicitation", mcp_server_name=_HUGE, message=_HUGE),
    "call": lambda: _request("mcp_message", message={"method": _HUGE, "id": 1, "params": {}}),
    "other": lambda: _request(_HUGE),
    "answer": lambda: {"type": "control_response", "response": {"request_id": _HUGE}},
    "withdrawn": lambda: {"type": "control_cancel_request", "request_id": _HUGE},
    "init": lambda: {"type": "system", "subtype": "init", "session_id": _HUGE, "model": _HUGE},
    "commands": lambda: {
        "type": "system", "subtype": "init", "slash_commands": [str(n) for n in range(10**6)]
    },
    "status": lambda: {"type": "system", "subtype": "status", "permissionMode": _HUGE},
    "use": lambda: _said("assistant", {"type": "tool_use", "id": _HUGE, "name": "Bash"}),
    "told": lambda: _said("user", {"type": "tool_result", "tool_use_id": "t", "content": _HUGE}),
    "result": lambda: {"type": "result", "is_error": True, "result": _HUGE, "errors": [_HUGE]},
    "background": lambda: {
        "type": "system", "subtype": "task_started", "task_id": _HUGE, "description": _HUGE
    },
    "part": lambda: {"type": "stream_event", "event": {"type": _HUGE}},
    "nothing": lambda: _HUGE,
}  # fmt: skip


def _request(subtype: str = "can_use_tool", **request: Any) -> dict[str, Any]:
    return {
        "type": "control_request",
        "request_id": "r",
        "request": {"subtype": subtype, **request},
    }


def _said(kind: str, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "message": {"id": "m", "content": [block]}}


@pytest.mark.parametrize("kind", _BIG_LINES)
def test_a_huge_line_is_taken_and_not_kept(kind: str) -> None:
    """T1, T27: lines of 16 MB of every control kind; what is remembered of one stays small."""
    use = written(_said("assistant", {"type": "tool_use", "id": "t", "name": "Bash"}))
    line = written(_BIG_LINES[kind]())

    async def work(schedule: Schedule) -> None:
        box = await live(schedule)
        for data in (use, line):
            box.forge(data)
        await asyncio.sleep(5.0)
        proved(schedule)
        view = schedule.engine._actors["one"].standing.view
        assert len(repr(view)) < 300_000
        task = await stopped(schedule, "one")
        assert len(repr(task)) < 300_000

    in_world(1, work)
