"""The phases of a run: from the queue by way of its jobs to the state that its task has afterwards.

Each handler is given the end of one job, and begins the next.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import cast

from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.sandbox.runner import NOTHING, SandboxState
from ctui.tasks.mailbox.run_view import RunView
from ctui.tasks.mailbox.states import Intent, Phase
from ctui.tasks.mailbox.step import RunOver, Standing, Step
from ctui.tasks.model import Notice, Run, TaskState
from ctui.tasks.runs.channel import Channel
from ctui.tasks.runs.disks import pausing, watching
from ctui.tasks.runs.jobs import adopt as adopt_job
from ctui.tasks.runs.jobs import close as close_job
from ctui.tasks.runs.jobs.create import create, prepare_run
from ctui.tasks.runs.jobs.follow import follow
from ctui.tasks.runs.jobs.look import bring_home
from ctui.tasks.runs.launch import Launch
from ctui.tasks.runs.outcome import cut_off, settle
from ctui.tasks.session import conversation, turns
from ctui.tasks.session.asking import AskBook
from ctui.tasks.session.messages import new_message

LOOK_SECONDS = 15.0
CLOSE_AGAIN_SECONDS = 5.0
_TORN_INPUT = "Error parsing streaming input line"
"""What the CLI says before it exits because a line of its input was not JSON."""
_ENGINE_DIED = 255
"""The exit code that an engine gives to what it does not know the end of."""
_TAKE_UP_LIMIT = 3
"""Runs that are begun again in a row because the runner was away."""


# -- from the queue to a live run


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
    _fresh(standing)
    standing.again = False
    step.enter(Phase.QUEUED)
    step.after(actor.want_slot)


def slot(step: Step) -> None:
    """Begin to prepare: there is room."""
    if step.standing.phase is not Phase.QUEUED:
        return
    step.move(TaskState.STARTING)
    step.enter(Phase.PREPARING)
    actor, standing = step.actor, step.standing
    step.start("prepare", lambda: prepare_run(actor, standing))


def prepared(step: Step, launch: object, error: BaseException | None) -> None:
    """Put the run on record, and have its sandbox made."""
    standing, task = step.standing, step.task
    if standing.intent:
        _close(step)
    elif error is not None:
        standing.failure = _as_error(error)
        settle(step)
        step.enter(Phase.RESTING)
        _rest(step)
    else:
        launch = cast("Launch", launch)
        standing.run = run = Run(
            task=task.id,
            number=launch.number,
            container=launch.spec.name,
            created=step.time,
            cost_before=task.cost,
        )
        step.store.runs.add(run)
        step.store.runs.set_seen(task.id, run.number, *NOTHING)
        standing.stored = NOTHING
        task.sandbox = launch.facts
        step.enter(Phase.CREATING)
        actor = step.actor
        step.start("create", lambda: create(actor, launch, run))


def created(step: Step, channel: object, error: BaseException | None) -> None:
    """Follow the run, or end it if that was said meanwhile."""
    standing, actor = step.standing, step.actor
    if error is not None:
        if not standing.intent:
            _fail(step, error)
        _close(step)
        return
    made = cast("Channel", channel)
    step.run.container = made.sandbox
    step.store.runs.save(step.run)
    step.after(lambda: actor.use(made))
    step.note(Notice(kind="started", text=f"run {step.run.number} started"))
    _go_live(step, made.sandbox)
    if standing.intent:
        standing.ending = False  # what was to be cancelled came to be, and is stopped now
    else:
        conversation.tell_waiting(step)


def _fail(step: Step, error: BaseException) -> None:
    """Settle a run that cannot be; also for a driver that finds it closing."""
    step.standing.failure = _as_error(error)
    settle(step)
    if step.task.state is TaskState.ENDED:
        step.intend("failed")


def adopt(step: Step, run: Run | None) -> None:
    """Take over what an earlier driver left: its run, or the task in the queue."""
    if step.standing.phase is not Phase.RESTING:
        return
    if run is None:
        begin(step)
        return
    _fresh(step.standing)
    step.standing.run = run
    step.standing.intent = cast("Intent", run.intent)
    step.standing.pause_text = step.task.problem if step.task.paused else ""
    step.standing.stored = step.store.runs.seen(run.task, run.number)
    step.enter(Phase.ADOPTING)
    actor, epoch = step.actor, step.standing.epoch
    step.after(actor.take_slot)
    step.start("adopt", lambda: adopt_job.adopt(actor, run, epoch))


def adopted(step: Step, result: object, error: BaseException | None) -> None:
    """Go on with the run where it is, or see that it is over."""
    standing, actor = step.standing, step.actor
    if error is not None:
        if not standing.intent:
            _fail(step, error)
        _close(step)
        return
    found = cast("adopt_job.Adopted", result)
    if standing.stored is None:
        standing.stored = standing.view.seen
    if found.channel is None:
        if found.state is not None and not found.state.started:
            standing.again = not standing.intent
        _over(step, _end_of_adopted(step, found.state))
        return
    channel = found.channel
    step.run.container = channel.sandbox
    step.store.runs.save(step.run)
    step.after(lambda: actor.use(channel))
    _go_live(step, channel.sandbox)
    standing.import_wanted = True  # and a look at its folders: nobody watched them meanwhile
    if not standing.intent:
        conversation.caught_up(step)
    if standing.interrupt_wanted:
        standing.interrupt_wanted = False
        step.after(actor.interrupt)


def _end_of_adopted(step: Step, state: SandboxState | None) -> RunOver:
    """Return how a run ended that nobody was there to follow."""
    run = step.run
    if run.exit_code is not None:
        known = SandboxState(run.container, running=False, exit_code=run.exit_code)
        return RunOver(state or known, lost=False)
    if state is None:
        return RunOver(None, lost=True)
    with_the_machine = 0 < state.finished < step.services.booted
    return RunOver(state, lost=with_the_machine and not state.out_of_memory)


def _go_live(step: Step, sandbox: str) -> None:
    step.enter(Phase.LIVE)
    actor, epoch = step.actor, step.standing.epoch
    step.start("follow", lambda: follow(actor, sandbox, epoch))
    step.timer("look", LOOK_SECONDS)
    watching.went_live(step)


# -- from a live run to rest


def follow_up(step: Step) -> None:
    """Begin what the step has made necessary: an import, or the end of the run."""
    standing, actor, task = step.standing, step.actor, step.task
    if standing.import_wanted and not standing.importing and standing.phase is Phase.LIVE:
        standing.importing, standing.import_wanted = True, False
        step.start("import", lambda: bring_home(actor, task))
    if not standing.intent or standing.ending:
        return
    standing.ending = True
    match standing.phase:
        case Phase.QUEUED:
            _close(step)
        case Phase.PREPARING:
            step.cancel("prepare")
        case Phase.CREATING:
            step.cancel("create")
        case Phase.LIVE | Phase.ADOPTING:
            step.start("stop", lambda: close_job.stop(actor, task.id))
        case Phase.RESTING:
            _close(step)


def followed(step: Step, result: object, error: BaseException | None) -> None:
    """The journal of a live run is at its end."""
    if error is not None:
        _fail(step, error)
        _close(step)
    else:
        _over(step, cast("RunOver", result))


def _over(step: Step, over: RunOver) -> None:
    """Close a run whose sandbox does not run any more."""
    standing, run = step.standing, step.run
    if over.state is not None and over.state.exit_code == _ENGINE_DIED:
        over = over._replace(lost=True)
    standing.over = over
    run.exit_code = over.state.exit_code if over.state else None
    step.store.runs.save(run)
    code = "unknown" if run.exit_code is None else run.exit_code
    step.note(Notice(kind="ended", text=f"run {run.number} ended (exit code {code})"))
    _close(step)


def _close(step: Step) -> None:
    """Leave no sandbox behind, bring the work home, and look for another login if need be."""
    standing, actor = step.standing, step.actor
    if standing.run is not None:
        standing.ending = True  # no ask that is given up moves the task any more
        AskBook(step).close()
    step.enter(Phase.CLOSING)
    for timer in ("sleep", "background", "timeout", "look"):
        step.timer(timer, None)
    pausing.run_over(step)
    step.after(actor.drop_channel)
    close(step)


def close(step: Step) -> None:
    """Begin, or begin again, to leave no sandbox behind."""
    standing, actor, task = step.standing, step.actor, step.task
    rejected = standing.view.login_rejected and standing.intent in {"", "asleep"}
    step.start("close", lambda: close_job.close(actor, task, rejected=rejected))


def sweep(step: Step) -> None:
    """Remove what was left behind of a task that rests."""
    if step.standing.phase is Phase.RESTING:
        _close(step)


def closed(step: Step, result: object, error: BaseException | None) -> None:
    """Settle the task: no sandbox of it is left."""
    standing, task = step.standing, step.task
    if error is not None:
        # Nobody is told that nothing is left before it is so.
        step.trouble(_as_error(error).one_line(), "engine")
        step.timer("close", CLOSE_AGAIN_SECONDS)
        return
    closing = cast("close_job.Closed", result)
    intent = standing.intent
    turns.work_found(step, closing.work)
    if standing.run is not None:
        standing.run.ended = step.time
        standing.run.intent = ""
        step.store.runs.save(standing.run)
    if not standing.view.login_rejected:
        actor = step.actor
        step.after(lambda: actor.services.logins.accepted(task.id))
    if standing.run is not None or (intent and task.state is not TaskState.ENDED):
        settle(step)
    step.enter(Phase.RESTING)
    if closing.another_login and intent in {"", "asleep"}:
        text = "Claude rejected the login; a newer one was found and is tried"
        step.note(Notice(kind="problem", text=text))
        say_again(step)
        standing.again = True
    elif cut_off(step, intent) and step.services.config().tasks.resume_after_engine:
        _take_up(step)
    elif not intent and any(_TORN_INPUT in line for line in standing.view.stderr):
        # Half a line reached the CLI and ended it: what it was not told yet is told again.
        standing.again = True
    elif intent in {"asleep", "completed"} and task.state is not TaskState.WAITING:
        standing.again |= standing.failure is None and _has_news(step)
    _rest(step)


def _take_up(step: Step) -> None:
    """Go on with a task whose runner went away."""
    if step.standing.taken_up >= _TAKE_UP_LIMIT:
        return
    step.standing.taken_up += 1
    say_again(step)
    if _has_news(step):
        step.standing.again = True
    else:
        step.move(TaskState.IDLE)
        step.trouble("", "")


def _rest(step: Step) -> None:
    """Let the task rest, tell who waited for that, and begin anew if there is a reason."""
    standing, actor = step.standing, step.actor
    step.after(actor.free_slot)
    for reply in standing.stopping:
        step.reply(reply, step.task)
    standing.stopping = ()
    step.timer("confirm", None)
    if standing.leaving is not None:
        standing.again = False
        leave(step)
    elif standing.again:
        try:
            begin(step)
        except Conflict as error:
            step.trouble(f"{error.message}: {error.hint}")
    else:
        _fresh(standing)
    if step.task.resume_at is not None:
        step.timer("reset", (step.task.resume_at - step.time) / 1e9)


def give_up(step: Step, error: CtuiError) -> None:
    """Close a run that cannot go on because of a mistake of this program."""
    step.standing.failure = error
    settle(step)
    _close(step)


def abandon(step: Step, error: CtuiError) -> None:
    """Let the task rest although its end could not be settled."""
    standing = step.standing
    standing.failure = error
    if standing.run is not None:
        standing.run.ended = step.time
        step.store.runs.save(standing.run)
    settle(step)
    step.enter(Phase.RESTING)
    _rest(step)


def _fresh(standing: Standing) -> None:
    standing.run, standing.view = None, RunView()
    standing.intent, standing.ending = "", False
    standing.failure = standing.over = None
    standing.import_wanted = standing.interrupt_wanted = standing.alarmed = False
    standing.looked_at, standing.look_paused = NOTHING, False
    standing.limits, standing.pause_text, standing.trouble_before = None, "", ("", "")
    standing.measuring = standing.freezing = standing.thawing = False


def _has_news(step: Step) -> bool:
    return bool(step.store.messages.undelivered(step.task.id))


def say_again(step: Step) -> None:
    """Repeat the last message if it was read and not answered: its id would not run again."""
    last = step.store.messages.last(step.task.id)
    if step.task.unanswered and last is not None and last.delivered is not None:
        step.store.messages.add(new_message(step.task.id, last.text, step.time))


# -- what goes off the list


def leave(step: Step) -> None:
    """Take the task off the list, or begin to delete what it left."""
    call = step.standing.leaving
    if call is None:
        return
    step.enter(Phase.LEAVING)
    actor, task = step.actor, step.task
    step.start("leave", lambda: close_job.leave(actor, task, call))


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
    _fresh(standing)
    if error is not None:
        for reply in replies:
            step.refuse(reply, _as_error(error))
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


def _as_error(error: BaseException) -> CtuiError:
    if isinstance(error, CtuiError):
        return error
    if isinstance(error, CancelledError):
        return Unavailable("it was given up", hint="try again")
    if isinstance(error, TimeoutError):
        return Unavailable(
            "the sandbox was not made in time", hint="`ctui doctor` looks at the engine"
        )
    return CtuiError(f"ctui made a mistake: {error!r}", hint="see driver.log")
