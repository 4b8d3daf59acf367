"""State of a task, in words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ctui.humanize import age
from ctui.text import one_line, sanitise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctui.tasks.model import Alarm, SandboxFacts, Task, WorkState

_COMMAND_WIDTH = 60
_CAUSES = {"needs-input": "needs input", "timeout": "time"}


def state_text(task: Task, asks: int = 0) -> str:
    """Return the state, with what a word can say of its reason."""
    if task.resume_at is not None:
        return f"{task.state} (until {clock(task.resume_at)})"
    if task.paused:
        return f"{task.state} (paused: {task.paused})"
    if task.failed and not task.state.live:
        cause = "" if task.cause == "other" else f": {_CAUSES.get(task.cause, task.cause)}"
        return f"{task.state} (failed{cause})"
    if task.reason:
        return f"{task.state} ({task.reason})"
    if task.problem and not asks:
        login = task.cause == "login" or "login" in task.problem
        return f"{task.state} ({'login' if login else task.cause or 'problem'})"
    return str(task.state)


def unusual(task: Task) -> str:
    """Return what a list must not hide beside the number of alarms, in a few words."""
    notes: list[str] = []
    if task.network == "unsealed" and task.state.live:
        notes.append("unsealed")
    if task.background:
        since = age(min(command.since for command in task.background))
        count = len(task.background)
        notes.append(f"{count} {'command runs' if count == 1 else 'commands run'} since {since}")
    if task.work is not None and (task.work.problem or task.work.branch == "diverged"):
        notes.append("its work did not come home")
    return ", ".join(notes)


def network_text(task: Task) -> str:
    """Return what it reaches, in a few words."""
    return {
        "open": "any public host, through the gateway",
        "allow": "named hosts, through the gateway: `ctui network show`",
        "closed": "Claude's API only, through the gateway",
        "unsealed": "unsealed: the engine's network, with its login inside",
    }[task.network]


def goes_on_text(task: Task) -> str:
    """Return when it goes on by itself, and what cancels that; "" if it does not."""
    if task.resume_at is None:
        return ""
    return f"goes on at {clock(task.resume_at)}; `ctui task stop {task.id}` cancels that"


def commits_text(task: Task, work: WorkState) -> str:
    """Return where a task's commits are."""
    match work.branch:
        case "diverged":
            return "not on the branch, which has others"
        case "untouched":
            return "in refs/ctui"
    tips = {ref.commit for ref in work.refs if ref.name.endswith(f"/heads/{task.branch}")}
    return "none" if tips <= {task.base} else "on the branch"


def background_lines(task: Task) -> Iterator[str]:
    """Yield what still runs although the turn is over, with its age."""
    for command in task.background:
        yield f"{age(command.since)} {one_line(command.command, _COMMAND_WIDTH)}"


def alarm_lines(task: Task) -> Iterator[str]:
    """Yield what its driver did not cause, in the order in which it came."""
    for alarm in task.alarms:
        yield _alarm_line(alarm)
    if (left := task.alarm_count - len(task.alarms)) > 0:
        yield f"and {left} more"


def sandbox_text(facts: SandboxFacts) -> str:
    """Return the settings that a run was started with."""
    said = [
        facts.image,
        facts.memory and f"{facts.memory} of memory",
        facts.cpus and f"{facts.cpus:g} cores",
        facts.pids and f"{facts.pids} processes",
        facts.tmp and f"{facts.tmp} of /tmp",
        facts.network not in {"", "gateway"} and f"network {facts.network}",
        facts.permission_mode and f"mode {facts.permission_mode}",
        facts.trusted and "trusted",
        facts.shared and "shares /shared",
    ]
    return sanitise(", ".join(str(one) for one in said if one))


def clock(at: int) -> str:
    """Return a time (nanoseconds since the epoch) as here: `14:05`, with its day if that is far."""
    seconds = at / 1e9
    far = abs(seconds - time.time()) > 20 * 3_600
    return time.strftime("%a %d %b %H:%M" if far else "%H:%M", time.localtime(seconds))


def _alarm_line(alarm: Alarm) -> str:
    stopped = " (the turn was stopped)" if alarm.stopped else ""
    return sanitise(f"{clock(alarm.at)} {alarm.kind}: {alarm.text}{stopped}")
