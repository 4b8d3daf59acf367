"""A run that is over a limit is frozen, and its task waits until it goes on or is ended."""

from __future__ import annotations

from asyncio import CancelledError

from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Notice, Paused, Task, TaskState
from ctui.tasks.runs.disks.limits import Over
from ctui.tasks.runs.jobs import freeze as job
from ctui.tasks.session import turns
from ctui.tasks.session.asking import AskBook

FIRST_SECONDS = 5.0
"""Until a run that begins, or goes on, is looked at again."""
_PAUSED = "paused: "


def freeze(step: Step, over: Over) -> None:
    """Pause the task for what it exceeds; one that nobody attends is ended instead."""
    standing, task = step.standing, step.task
    by_itself = over.which == "space"
    if not by_itself and (task.options.unattended or task.turn_unattended):
        step.note(Notice(kind="problem", text=over.text, urgent=True))
        step.trouble(over.text, "budget")
        step.intend("failed")
        return
    then = "it goes on by itself when there is more" if by_itself else _way_out(task, over.which)
    text = f"{_PAUSED}{over.text}; {then}, `ctui task stop {task.id}` ends it"
    if not task.paused:
        step.note(Notice(kind="problem", text=text, urgent=True))
        # An engine's trouble is over before the sandbox can go on.
        lasting = task.cause != "engine"
        standing.trouble_before = (task.problem, task.cause) if lasting else ("", "")
    task.paused, standing.pause_text, standing.thawing = over.which, text, False
    step.trouble(text, "budget")
    for timer in ("budget", "timeout", "sleep"):
        step.timer(timer, None)
    _refuse(step, Conflict(text, hint="nothing was resumed"))
    apply(step)


def thaw(step: Step) -> None:
    """Let a paused task go on."""
    step.standing.thawing = True
    apply(step)


def apply(step: Step) -> None:
    """Freeze the sandbox, or let it go on; one of these at a time."""
    standing, actor, sandbox = step.standing, step.actor, step.run.container
    if not standing.freezing:
        standing.freezing, frozen = True, not standing.thawing
        step.start("freeze", lambda: job.freeze(actor, sandbox, frozen=frozen))


def applied(step: Step, frozen: object, error: BaseException | None) -> None:
    """Take that the sandbox is frozen, or goes on, as it was told last."""
    standing, task = step.standing, step.task
    standing.freezing = False
    if not task.paused or standing.intent or isinstance(error, CancelledError):
        return
    if error is not None:
        # What cannot be frozen must not go on.
        why = standing.pause_text.removeprefix(_PAUSED)
        step.trouble(f"it was ended, because it cannot be paused ({error}): {why}", "budget")
        step.intend("failed")
    elif frozen is standing.thawing:
        apply(step)
    elif standing.thawing:
        _thawed(step)


def enforce(step: Step) -> None:
    """Freeze again what somebody else let go on."""
    if not step.standing.thawing:
        apply(step)


def hold(step: Step) -> None:
    """Keep a paused task waiting, whatever its last lines said, and keep what they said."""
    standing, task = step.standing, step.task
    if not task.paused or standing.phase is not Phase.LIVE:
        return
    shown = task.problem, task.cause
    if standing.intent:
        if standing.intent == "completed" and shown == (standing.pause_text, "budget"):
            step.trouble(*standing.trouble_before)
        return
    if task.state is not TaskState.WAITING:
        step.move(TaskState.WAITING)
        for timer in ("timeout", "sleep"):
            step.timer(timer, None)
    if task.cause != "engine" and shown != (standing.pause_text, "budget"):
        standing.trouble_before = shown
        step.trouble(standing.pause_text, "budget")


def not_resumed_yet(step: Step) -> None:
    """Tell who resumes that it takes longer than one waits."""
    hint = f"it does as soon as it can; `ctui task show {step.task.id}` tells more"
    _refuse(step, Unavailable(f"{step.task.id} does not go on yet", hint=hint))


def run_over(step: Step) -> None:
    """Forget all that when the run is over."""
    step.task.paused = ""
    for timer in ("budget", "resumed"):
        step.timer(timer, None)
    for name in ("measure", "freeze"):
        step.cancel(name)
    _refuse(step, Conflict(f"the run of {step.task.id} ended", hint="`ctui task show` tells why"))


def _thawed(step: Step) -> None:
    """Let the task be what it would be if it had not been paused."""
    standing, task = step.standing, step.task
    task.paused, standing.thawing = "", False
    step.trouble(*standing.trouble_before)
    standing.trouble_before = "", ""
    waiting = step.store.messages.undelivered(task.id)
    if not step.view.initialised:
        step.move(TaskState.STARTING)
    elif step.view.state in {"", "idle"} and not waiting:
        turns.ended(step)
    else:
        step.move(TaskState.RUNNING)
        AskBook(step).refresh_waiting()
        timeout = task.turn_timeout or task.options.timeout
        step.timer("timeout", float(timeout) if timeout else None)
    standing.look_every = FIRST_SECONDS
    step.timer("budget", FIRST_SECONDS)
    step.timer("resumed", None)
    for reply in standing.resuming:
        step.reply(reply, task)
    standing.resuming = ()


def _refuse(step: Step, error: CtuiError) -> None:
    step.timer("resumed", None)
    for reply in step.standing.resuming:
        step.refuse(reply, error)
    step.standing.resuming = ()


def _way_out(task: Task, which: Paused) -> str:
    setting = "files" if which == "files" else which
    less = "" if which in {"journal", "home"} else " or delete some of it"
    return f"raise tasks.{setting}{less}, then `ctui task resume {task.id}`"
