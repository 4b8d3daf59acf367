"""Exit codes of a turn, for scripts."""

from __future__ import annotations

import os

from ctui.claude.login.credentials import variable_in
from ctui.claude.protocol.api_failure import rejected_login
from ctui.cli.output import warn
from ctui.tasks.model import EndReason, Task

DONE = 0
FAILED = 1
NEEDS_INPUT = 3
OVER_LIMIT = 4
INTERRUPTED = 130


def exit_code(task: Task) -> int:
    """Return the exit code of a command that has followed a task to the end of its turn."""
    match task.cause:
        case "needs-input":
            return NEEDS_INPUT
        case "budget" | "timeout":
            return OVER_LIMIT
        case "interrupted":
            return INTERRUPTED
    unsaved = task.work is not None and task.work.problem
    if task.problem or unsaved or task.denials or task.reason is EndReason.FAILED:
        return FAILED
    return INTERRUPTED if task.reason is EndReason.STOPPED else DONE


def told_exit_code(task: Task, printed: str = "") -> int:
    """Return the exit code, and say on stderr, in one line, why it is not 0.

    Args:
        task: at the end of its turn.
        printed: what was printed already of the turn's failure.
    """
    code = exit_code(task)
    if code != DONE and (text := _why(task, printed)):
        warn(f"ctui: {text}")
    return code


def _why(task: Task, printed: str) -> str:
    again = f'`ctui task send {task.id} "..."` goes on'
    if task.problem.startswith("Claude rejected the login"):
        return rejected_login(task.id, variable_in(os.environ))
    if task.problem and task.problem == printed:
        return f"{task.id} failed: {again}"
    if task.problem:
        # Whoever reads it in a log of many commands must know which task, and what to type.
        return task.problem if "ctui task" in task.problem else f"{task.problem}: {again}"
    if task.cause == "needs-input":
        return f"it needs an answer: {again}"
    if task.work is not None and task.work.problem:
        return task.work.problem
    if task.denials:
        calls = "1 tool call was" if task.denials == 1 else f"{task.denials} tool calls were"
        return f"{calls} denied, so this is no success"
    if task.reason is EndReason.STOPPED:
        return f"{task.id} was stopped: `ctui task resume {task.id}` goes on with it"
    return f"{task.id} failed: {again}"
