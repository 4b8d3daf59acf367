"""The state that a task has when its run is over."""

from __future__ import annotations

from ctui.errors import CtuiError, LoginRequired
from ctui.tasks.mailbox.ports import ConsentMissing
from ctui.tasks.mailbox.states import Intent
from ctui.tasks.mailbox.step import RunOver, Step
from ctui.tasks.model import Cause, EndReason, TaskState
from ctui.tasks.session.turns import login_problem


def settle(step: Step) -> None:
    """Set the task's state, reason and problem from what the standing knows of its run."""
    standing, task = step.standing, step.task
    task.background = ()
    task.ports = ()
    if standing.failure is not None:
        _prevented(step, standing.failure)
    elif standing.intent == "stopped":
        _ended(step, EndReason.STOPPED)
    elif standing.intent == "failed":
        _ended(step, EndReason.FAILED, task.problem, task.cause or "other")
    elif standing.view.login_rejected:
        step.move(TaskState.WAITING)
        step.trouble(login_problem(step), "login")
    elif standing.intent == "asleep":
        step.move(TaskState.IDLE)
    elif standing.intent == "completed" and not task.problem:
        _ended(step, EndReason.COMPLETED)
    elif standing.intent == "completed":
        _ended(step, EndReason.FAILED, task.problem, task.cause)
    elif _exit_code(standing.over) == 0 and task.state is TaskState.IDLE:
        _ended(step, EndReason.COMPLETED, task.problem, task.cause)
    else:
        _ended(step, EndReason.FAILED, _why(step), "engine" if _lost(standing.over) else "other")


def cut_off(step: Step, intent: Intent) -> bool:
    """Return True where the run ended because the runner did, and not the CLI or the person."""
    return not intent and step.standing.failure is None and _lost(step.standing.over)


def _prevented(step: Step, error: CtuiError) -> None:
    text = f"{error.message}: {error.hint}" if error.hint else error.message
    if isinstance(error, LoginRequired):
        step.move(TaskState.WAITING)
        step.trouble(text, "login")
    elif isinstance(error, ConsentMissing):
        step.move(TaskState.WAITING)
        step.trouble(text, "consent")
    else:
        _ended(step, EndReason.FAILED, text, "engine")


def _ended(step: Step, reason: EndReason, problem: str = "", cause: Cause = "") -> None:
    step.move(TaskState.ENDED)
    step.task.reason = reason
    step.trouble(problem, cause)


def _lost(over: RunOver | None) -> bool:
    return over is not None and over.lost


def _exit_code(over: RunOver | None) -> int | None:
    return over.state.exit_code if over is not None and over.state is not None else None


def _why(step: Step) -> str:
    standing = step.standing
    again = f"`ctui task resume {step.task.id}` goes on with it"
    over = standing.over
    if over is None or over.state is None:
        return f"the sandbox is gone: {again}"
    if over.state.out_of_memory:
        return f"the sandbox ran out of memory: raise sandbox.memory, then {again}"
    said = f" ({standing.view.stderr[-1]})" if standing.view.stderr else ""
    if over.state.exit_code in {137, 143, 255}:
        return f"the sandbox was stopped from outside{said}: {again}"
    return f"Claude Code ended with exit code {over.state.exit_code}{said}: {again}"
