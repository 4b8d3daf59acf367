"""LEAVING: the task goes off the list, or is deleted."""

from __future__ import annotations

from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs.failures import as_error
from ctui.tasks.runs.jobs import close as job
from ctui.tasks.runs.phases.queued import forget_run


def leave(step: Step) -> None:
    """Take the task off the list, or begin to delete what it left."""
    call = step.standing.leaving
    if call is None:
        return
    step.enter(Phase.LEAVING)
    actor, task = step.actor, step.task
    step.start("leave", lambda: job.leave(actor, task, call))


def left(step: Step, result: object, error: BaseException | None) -> None:
    """Note that the task is gone, or why it is not."""
    standing, actor, task = step.standing, step.actor, step.task
    call = standing.leaving
    step.enter(Phase.RESTING)
    if error is None and call != result:
        leave(step)  # somebody asked for more meanwhile
        return
    replies = (*standing.leave_replies, *standing.stopping)
    standing.leaving, standing.leave_replies, standing.stopping = None, (), ()
    step.timer("confirm", None)
    forget_run(standing)
    if error is not None:
        for reply in replies:
            step.refuse(reply, as_error(error))
        return
    if call is not None and call.purge:
        step.store.tasks.forget(task.id)
        standing.gone = True
    elif not task.removed:
        step.store.tasks.mark_removed(task.id)
        task.removed = step.time
    step.after(lambda: actor.around.removed(task.id))
    step.after(lambda: actor.services.logins.forget(task.id))
    for reply in replies:
        step.reply(reply, task)
