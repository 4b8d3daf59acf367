"""RESTING: no sandbox is left, and whoever waited for that is told."""

from __future__ import annotations

from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs.phases import leaving, queued
from ctui.tasks.session import turns


def rest(step: Step) -> None:
    """Let the task rest, tell who waited for that, and begin anew if there is a reason."""
    standing, actor = step.standing, step.actor
    step.after(actor.free_slot)
    for reply in standing.stopping:
        step.reply(reply, step.task)
    standing.stopping = ()
    step.timer("confirm", None)
    if standing.leaving is not None:
        standing.again = False
        leaving.leave(step)
    elif standing.again:
        queued.begin_by_itself(step)
    else:
        queued.forget_run(standing)
    turns.wait_for_reset(step)
