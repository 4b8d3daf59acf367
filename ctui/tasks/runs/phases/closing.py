"""CLOSING: no sandbox is left behind, the work comes home, and the task is settled."""

from __future__ import annotations

from typing import cast

from ctui.errors import CtuiError
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Notice, TaskState
from ctui.tasks.runs.disks import pausing
from ctui.tasks.runs.failures import as_error
from ctui.tasks.runs.jobs import close as job
from ctui.tasks.runs.outcome import cut_off, settle
from ctui.tasks.runs.phases import consent, resting
from ctui.tasks.session import turn_record, turns
from ctui.tasks.session.asking import AskBook

CLOSE_AGAIN_SECONDS = 5.0
_TORN_INPUT = "Error parsing streaming input line"
"""Words of the CLI before it exits because a line of its input was not JSON."""
_TAKE_UP_LIMIT = 3
"""Runs that are begun again in a row because the runner was away."""


# -- why a run is closed


def prevented(step: Step, error: BaseException) -> None:
    """Close a run that cannot be; where it was to end anyway, the reason for that counts."""
    if step.standing.intent:
        close(step)
    else:
        fail(step, error)


def fail(step: Step, error: BaseException) -> None:
    """Close a run that cannot be; also for a driver that finds it closing."""
    _settle_failed(step, as_error(error))
    if step.task.state is TaskState.ENDED:
        step.intend("failed")
    close(step)


def give_up(step: Step, error: CtuiError) -> None:
    """Close a run that cannot go on because of a mistake of this program."""
    _settle_failed(step, error)
    close(step)


def sweep(step: Step) -> None:
    """Remove what was left behind of a task that rests."""
    if step.standing.phase is Phase.RESTING:
        close(step)


def _settle_failed(step: Step, error: CtuiError) -> None:
    step.standing.failure = error
    settle(step)


# -- how it is closed


def close(step: Step) -> None:
    """Leave no sandbox behind, bring the work home, and look for another login if need be."""
    standing, actor = step.standing, step.actor
    if standing.run is not None:
        standing.ending = True  # no ask that is given up moves the task any more
        AskBook(step).close()
    consent.withdraw(step)
    step.enter(Phase.CLOSING)
    for timer in ("sleep", "background", "timeout", "look", "shells"):
        step.timer(timer, None)
    pausing.run_over(step)
    step.cancel("network")  # what closes the run takes it away
    step.cancel("snapshot")  # what closes the run takes that of its last turn
    step.cancel("stop")  # what closes the run stops it too; a late stop would meet the next one
    step.after(actor.drop_channel)
    try_to_close(step)


def try_to_close(step: Step) -> None:
    """Begin, or begin again, to leave no sandbox behind."""
    standing, actor, task = step.standing, step.actor, step.task
    rejected = standing.view.login_rejected and standing.intent in {"", "asleep"}
    turn_record.ended(step)
    standing.snapshot_due, turn = False, turn_record.not_kept(step)
    step.start("close", lambda: job.close(actor, task, rejected=rejected, turn=turn))


def closed(step: Step, result: object, error: BaseException | None) -> None:
    """Settle the task: no sandbox of it is left."""
    standing, task = step.standing, step.task
    has_ended = task.state is TaskState.ENDED  # with a problem that is its own
    if error is not None:
        # Nobody is told that nothing is left before it is so.
        if not has_ended:
            step.trouble(as_error(error).one_line(), "engine")
        step.timer("close", CLOSE_AGAIN_SECONDS)
        return
    if task.cause == "engine" and not has_ended:
        step.trouble("", "")
    standing.opened = None
    found = cast("job.Closed", result)
    intent = standing.intent
    turns.work_found(step, found.work)
    turn_record.taken(step, found.files)
    if standing.run is not None:
        standing.run.ended = step.time
        standing.run.intent = ""
        step.store.runs.save(standing.run)
    if not standing.view.login_rejected:
        logins = step.services.logins
        step.after(lambda: logins.accepted(task.id))
    if standing.run is not None or (intent and task.state is not TaskState.ENDED):
        settle(step)
    step.enter(Phase.RESTING)
    _see_what_follows(step, another_login=found.another_login)
    resting.rest(step)


def abandon(step: Step, error: CtuiError) -> None:
    """Let the task rest although its end could not be settled."""
    run = step.standing.run
    if run is not None:
        run.ended = step.time
        step.store.runs.save(run)
    _settle_failed(step, error)
    step.standing.opened = None
    step.enter(Phase.RESTING)
    resting.rest(step)


# -- whether another run follows


def _see_what_follows(step: Step, *, another_login: bool) -> None:
    """Want another run where there is a reason for one."""
    standing, intent = step.standing, step.standing.intent
    if another_login and intent in {"", "asleep"}:
        text = "Claude rejected the login; a newer one was found and is tried"
        step.note(Notice(kind="problem", text=text))
        turns.say_again(step)
        standing.again = True
    elif cut_off(step, intent) and step.services.config().tasks.resume_after_engine:
        _take_up(step)
    elif not intent and any(_TORN_INPUT in line for line in standing.view.stderr):
        # Half a line reached the CLI and ended it: what it was not told yet is told again.
        standing.again = True
    elif intent in {"asleep", "completed"} and step.task.state is not TaskState.WAITING:
        standing.again |= standing.failure is None and _has_news(step)


def _take_up(step: Step) -> None:
    """Go on with a task whose runner went away."""
    if step.standing.taken_up >= _TAKE_UP_LIMIT:
        return
    step.standing.taken_up += 1
    turns.say_again(step)
    if _has_news(step):
        step.standing.again = True
    else:
        step.move(TaskState.IDLE)
        step.trouble("", "")


def _has_news(step: Step) -> bool:
    return bool(step.store.messages.undelivered(step.task.id))
