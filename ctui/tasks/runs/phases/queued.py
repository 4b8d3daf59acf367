"""QUEUED: the task waits for a place, and knows nothing of its last run any more."""

from __future__ import annotations

from ctui.errors import Conflict
from ctui.sandbox.runner import NOTHING
from ctui.tasks.mailbox.run_view import RunView
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Standing, Step
from ctui.tasks.model import TaskState


def begin(step: Step) -> None:
    """Put a task that rests into the queue.

    Raises:
        Conflict: another task works on the worktree.
    """
    standing, task, actor = step.standing, step.task, step.actor
    other = actor.around.occupied(task)
    if other:
        raise Conflict(
            f"the task {other} works on this worktree already",
            hint=f"send it a message, or `ctui task stop {other}` first",
        )
    step.move(TaskState.QUEUED)
    step.trouble("", "")
    task.resume_at = None
    step.timer("reset", None)
    forget_run(standing)
    standing.again = False
    step.enter(Phase.QUEUED)
    step.after(actor.want_slot)


def begin_by_itself(step: Step) -> None:
    """Put the task into the queue where nobody waits for that; what prevents it is shown."""
    try:
        begin(step)
    except Conflict as error:
        forget_run(step.standing)
        step.standing.again = False
        step.trouble(f"{error.message}: {error.hint}")


def forget_run(standing: Standing) -> None:
    """Forget what is known of the last run only."""
    standing.run, standing.view = None, RunView(todos=standing.task.activity.todos)
    standing.intent, standing.ending = "", False
    standing.failure = standing.over = None
    standing.import_wanted = standing.alarmed = False
    standing.interrupt, standing.mode, standing.told = "", "", ()
    standing.looked_at, standing.look_paused, standing.look_ended = NOTHING, False, False
    standing.limits, standing.pause_text, standing.trouble_before = None, "", ("", "")
    standing.edits_granted = None
    standing.measuring = standing.freezing = standing.thawing = False
