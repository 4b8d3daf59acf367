"""A real driver in a simulated world, and a task in it that writes what it likes."""

from __future__ import annotations

import asyncio
from typing import Any

from ctui.tasks import calls
from ctui.tasks.model import AskState, Task, TaskState
from tests.simulation.hostile_lines import written
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import Schedule


async def live(schedule: Schedule, task: str = "one", **options: Any) -> Sandbox:
    """Start a task, and return its sandbox when the driver follows it."""
    await schedule.start(task, **{"detached": True, **options})
    for _ in range(1000):
        await asyncio.sleep(0.1)
        if (running := schedule.world.running(task)) and running[0].greeted:
            return running[0]
    raise AssertionError("the task never began")


async def stopped(schedule: Schedule, task: str) -> Task:
    """Stop a task; nothing of it is left then."""
    await schedule.engine.stop(calls.StopTask(task))
    if schedule.world.running(task):
        raise schedule.world.breaks(f"{task} was said to be stopped, and runs")
    if schedule.store.asks.list(AskState.PENDING, AskState.ANSWERED, task=task):
        raise schedule.world.breaks(f"{task} is stopped, and asks")
    return schedule.store.tasks.get(task)


async def quiet(schedule: Schedule, task: str = "one", **options: Any) -> Sandbox:
    """Start a task whose CLI uses no tool, and return its sandbox when its turn is over."""
    schedule.world.tool_counts = [0]
    box = await live(schedule, task, detached=True, **options)
    await settled(schedule, task, TaskState.IDLE)
    return box


async def settled(schedule: Schedule, task: str, state: TaskState) -> Task:
    """Return the task when it is in that state."""
    for _ in range(10_000):
        found = schedule.store.tasks.get(task)
        if found.state is state:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{task} is {found.state}, not {state}: {found.problem}")


async def said(schedule: Schedule, box: Sandbox, *lines: Any) -> Task:
    """Forge lines, and return the task when they were taken."""
    for line in lines:
        box.forge(written(line))
    last = len(box.log)
    for _ in range(10_000):
        await asyncio.sleep(0.05)
        actor = schedule.engine._actors.get(box.task)
        if actor is None or sum(actor.standing.view.seen) >= last:
            break
    return schedule.store.tasks.get(box.task)


def state_line(state: str) -> dict[str, Any]:
    return {"type": "system", "subtype": "session_state_changed", "state": state}


def use_line(call: str, tool: str = "Bash") -> dict[str, Any]:
    block = {"type": "tool_use", "id": call, "name": tool, "input": {"command": "ls"}}
    return {"type": "assistant", "message": {"id": f"m-{call}", "content": [block]}}


def told_line(call: str) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": call, "content": "ok"}
    return {"type": "user", "message": {"role": "user", "content": [block]}}


def ask_line(request: str, call: str, tool: str = "Bash", **more: Any) -> dict[str, Any]:
    asked = {"subtype": "can_use_tool", "tool_name": tool, "tool_use_id": call, "input": {}, **more}
    return {"type": "control_request", "request_id": request, "request": asked}


def tool_call(request: str, name: str, **arguments: Any) -> dict[str, Any]:
    """Return the call of a tool of ctui's own server."""
    message = {
        "method": "tools/call",
        "id": request,
        "params": {"name": name, "arguments": arguments},
    }
    call = {"subtype": "mcp_message", "server_name": "ctui", "message": message}
    return {"type": "control_request", "request_id": request, "request": call}


def pending(schedule: Schedule, task: str = "one") -> list[str]:
    """Return the requests that wait for the person."""
    return [ask.request for ask in schedule.store.asks.list(AskState.PENDING, task=task)]


def replied(box: Sandbox) -> list[str]:
    """Return the requests that have a reply."""
    answers = [line["response"] for line in box.heard if line.get("type") == "control_response"]
    return [answer["request_id"] for answer in answers]


def refused(box: Sandbox) -> list[str]:
    """Return the requests that were refused."""
    answers = [line["response"] for line in box.heard if line.get("type") == "control_response"]
    return [answer["request_id"] for answer in answers if answer["subtype"] == "error"]


def asked_for(box: Sandbox, subtype: str) -> list[dict[str, Any]]:
    """Return what the driver asked the CLI for, of one kind."""
    requests = [line["request"] for line in box.heard if line.get("type") == "control_request"]
    return [request for request in requests if request["subtype"] == subtype]


def kinds(task: Task) -> list[str]:
    return [alarm.kind for alarm in task.alarms]


def elicitation(request: str, server: str) -> dict[str, Any]:
    form = {"subtype": "elicitation", "mcp_server_name": server, "message": "Paste a new token:"}
    return {"type": "control_request", "request_id": request, "request": form}


def init_line(session: str = "", mode: str = "default") -> dict[str, Any]:
    return {"type": "system", "subtype": "init", "session_id": session, "permissionMode": mode}


def result_line(**more: Any) -> dict[str, Any]:
    return {"type": "result", "subtype": "success", "is_error": False, "result": "done", **more}


def background_line(phase: str, **more: Any) -> dict[str, Any]:
    known = {"task_id": "bg", "task_type": "local_bash", "description": "npm run dev"}
    return {"type": "system", "subtype": phase, **known, **more}


def limit_lines(schedule: Schedule, seconds: int) -> list[dict[str, Any]]:
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
