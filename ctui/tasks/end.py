"""The state that a task has when its run is over. Pure."""

from __future__ import annotations

from ctui.errors import CtuiError, LoginRequired
from ctui.tasks.life import RunEnd
from ctui.tasks.model import EndReason, Task, TaskState
from ctui.tasks.results import LOGIN_PROBLEM


def settle(task: Task, end: RunEnd | None, intent: str, error: CtuiError | None = None) -> None:
    """Set the task's state, reason and problem.

    Args:
        task: changed in place.
        end: how the run ended, None if there was none.
        intent: why we stopped it ("asleep", "stopped", "completed"), or "" if we did not.
        error: what prevented the run.
    """
    if isinstance(error, LoginRequired):
        task.state, task.problem = TaskState.WAITING, f"{error.message}: {error.hint}"
    elif error is not None:
        text = f"{error.message}: {error.hint}" if error.hint else error.message
        _ended(task, EndReason.FAILED, text)
    elif intent == "stopped":
        _ended(task, EndReason.STOPPED)
    elif end is not None and end.login_rejected:
        task.state, task.problem = TaskState.WAITING, LOGIN_PROBLEM
    elif intent == "asleep":
        task.state = TaskState.IDLE
    elif intent == "completed" and not task.problem:
        _ended(task, EndReason.COMPLETED)
    elif intent == "completed":
        _ended(task, EndReason.FAILED, task.problem)
    elif end is not None and end.exit_code == 0:
        _ended(task, EndReason.COMPLETED, task.problem)
    else:
        _ended(task, EndReason.FAILED, _why(task, end))


def _ended(task: Task, reason: EndReason, problem: str = "") -> None:
    task.state, task.reason, task.problem = TaskState.ENDED, reason, problem


def _why(task: Task, end: RunEnd | None) -> str:
    again = f"`ctui task resume {task.id}` starts it again"
    if end is None or end.exit_code is None:
        return f"the sandbox is gone: {again}"
    if end.out_of_memory:
        return f"the sandbox ran out of memory: raise sandbox.memory, then {again}"
    said = f" ({end.stderr[-1]})" if end.stderr else ""
    if end.exit_code in {137, 143}:
        return f"the sandbox was stopped from outside{said}: {again}"
    return f"Claude Code ended with exit code {end.exit_code}{said}: {again}"
