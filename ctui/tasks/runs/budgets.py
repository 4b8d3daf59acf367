"""What a run may take of the disks. Beyond a limit its sandbox is frozen, and the task asks.

A task that is paused so has `paused` in its record until its sandbox goes on or is gone; the next
driver finds it there, and freezes the sandbox anew if the last one could not.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import NamedTuple, cast

from ctui.config import Config, parse_size
from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.humanize import size_text
from ctui.tasks.disk_usage import Usage
from ctui.tasks.mailbox.mail import JobDone
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Reply, Standing, Step
from ctui.tasks.model import Notice, Paused, Task, TaskState
from ctui.tasks.runs.jobs.freeze import freeze
from ctui.tasks.runs.jobs.look import Measured, measure
from ctui.tasks.session import turns
from ctui.tasks.session.asking import AskBook
from ctui.text import one_line

FIRST_SECONDS = 5.0
LOOK_SECONDS = 60.0
"""A new run is looked at soon, and then less and less often, down to this."""


_PAUSED = "paused: "


class Limits(NamedTuple):
    """The settings as numbers: bytes, and files of a worktree or home."""

    journal: int
    home: int
    worktree: int
    files: int
    free_space: int


class Over(NamedTuple):
    """A limit that is exceeded."""

    which: Paused
    text: str
    """What is over which setting."""


def limits_of(config: Config) -> Limits:
    """Return the limits of these settings."""
    tasks = config.tasks
    return Limits(
        journal=parse_size(tasks.journal),
        home=parse_size(tasks.home),
        worktree=parse_size(tasks.worktree),
        files=tasks.files,
        free_space=parse_size(tasks.free_space),
    )


def job_done(step: Step, mail: JobDone) -> None:
    """Take what a job found or did."""
    if mail.name == "measure":
        _measured(step, mail.result, mail.error)
    else:
        _applied(step, mail.result, mail.error)


def time_up(step: Step, name: str) -> None:
    """Look again, or tell who resumes that it takes longer than one waits."""
    if name == "budget":
        _look(step)
    else:
        hint = f"it does as soon as it can; `ctui task show {step.task.id}` tells more"
        _refuse(step, Unavailable(f"{step.task.id} does not go on yet", hint=hint))


# -- looking


def went_live(step: Step) -> None:
    """Begin to look at a run, or freeze one that was frozen when its driver died."""
    if step.task.paused:
        _apply(step)
        if step.standing.resuming:
            _look(step)
    else:
        step.standing.look_every = FIRST_SECONDS
        step.timer("budget", 0.0)


def _look(step: Step) -> None:
    """Measure what the run takes, in a job."""
    standing, actor, task = step.standing, step.actor, step.task
    if standing.measuring or standing.phase is not Phase.LIVE:
        return
    standing.measuring, standing.limits = True, None
    files = _limits(step).files
    step.start("measure", lambda: measure(actor, task, files))


def _measured(step: Step, result: object, error: BaseException | None) -> None:
    """Take the figures: freeze the run, or let it go on."""
    standing = step.standing
    standing.measuring = False
    if standing.intent:
        return
    found = cast("Measured", result) if error is None else Measured(Usage(), None, "")
    over = _exceeded(step, found.usage)
    if over is None and standing.resuming:
        over = _too_little_space(step, found)
    if over is not None:
        _freeze(step, over)
    elif standing.resuming:
        _thaw(step)
    if not step.task.paused:
        step.timer("budget", standing.look_every)
        standing.look_every = min(LOOK_SECONDS, standing.look_every * 2)


def grown(step: Step) -> None:
    """Look at what lines tell at once: the journal's size, and the home's."""
    if step.standing.phase is Phase.LIVE and not (step.standing.intent or step.task.paused):
        over = _exceeded(step, Usage())
        if over is not None:
            _freeze(step, over)


def space(step: Step, low: str) -> None:
    """Freeze what works where a disk has too little left; "" lets it go on."""
    standing, task = step.standing, step.task
    if standing.phase is not Phase.LIVE or standing.intent:
        return
    if low and not task.paused and works(task):
        _freeze(step, Over("space", low))
    elif not low and task.paused == "space":
        _thaw(step)


def works(task: Task) -> bool:
    """Return True for a task that may be writing something."""
    return task.state is not TaskState.IDLE or bool(task.background)


def needs_space(standing: Standing) -> bool:
    """Return True for a task that the floor of free space pauses, or lets go on."""
    if standing.phase is not Phase.LIVE or standing.intent:
        return False
    return standing.task.paused == "space" or works(standing.task)


def space_text(folder: str, setting: str) -> str:
    """Return what to say where a disk has too little left."""
    return f"the disk of {folder} has less than {setting} left (tasks.free_space)"


def _limits(step: Step) -> Limits:
    if step.standing.limits is None:
        step.standing.limits = limits_of(_settings(step))
    return step.standing.limits


def _settings(step: Step) -> Config:
    """Return the settings; those that cannot be read must not lift a limit."""
    try:
        return step.standing.config or step.services.config()
    except CtuiError:
        return Config()


def _exceeded(step: Step, usage: Usage) -> Over | None:
    limits, view, task = _limits(step), step.view, step.task
    journal = step.services.journals.of(task.id).size
    sizes: tuple[tuple[Paused, int, int], ...] = (
        ("journal", journal, limits.journal),
        ("home", view.home_bytes, limits.home),
        ("worktree", usage.bytes, limits.worktree),
    )
    for which, size, limit in sizes:
        if size > limit:
            text = f"its {which} takes {size_text(size)}, more than {size_text(limit)}"
            return Over(which, f"{text} (tasks.{which})")
    for name, files in (("home", view.home_files), ("worktree", usage.files)):
        if files > limits.files:
            text = f"its {name} has more than {limits.files} files (tasks.files)"
            return Over("files", text)
    if usage.unmeasured:
        folder = one_line(usage.unmeasured, 100)
        return Over("worktree", f"its worktree has a folder that cannot be measured, {folder}")
    return None


def _too_little_space(step: Step, found: Measured) -> Over | None:
    if found.free is None or found.free >= _limits(step).free_space:
        return None
    return Over("space", space_text(found.folder, _settings(step).tasks.free_space))


# -- freezing, and going on


def resume(step: Step, reply: Reply) -> None:
    """Go on if nothing is over its limit any more; the reply comes when that is known."""
    step.standing.resuming = (*step.standing.resuming, reply)
    step.timer("resumed", 10.0)
    _look(step)


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


def _applied(step: Step, frozen: object, error: BaseException | None) -> None:
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
        _apply(step)
    elif standing.thawing:
        _thawed(step)


def enforce(step: Step) -> None:
    """Freeze again what somebody else let go on."""
    if not step.standing.thawing:
        _apply(step)


def closing(step: Step) -> None:
    """Forget all that when the run is over."""
    step.task.paused = ""
    for timer in ("budget", "resumed"):
        step.timer(timer, None)
    for job in ("measure", "freeze"):
        step.cancel(job)
    _refuse(step, Conflict(f"the run of {step.task.id} ended", hint="`ctui task show` tells why"))


def _freeze(step: Step, over: Over) -> None:
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
        standing.trouble_before = task.problem, task.cause
    task.paused, standing.pause_text, standing.thawing = over.which, text, False
    step.trouble(text, "budget")
    for timer in ("budget", "timeout", "sleep"):
        step.timer(timer, None)
    _refuse(step, Conflict(text, hint="nothing was resumed"))
    _apply(step)


def _way_out(task: Task, which: Paused) -> str:
    setting = "files" if which == "files" else which
    less = "" if which in {"journal", "home"} else " or delete some of it"
    return f"raise tasks.{setting}{less}, then `ctui task resume {task.id}`"


def _thaw(step: Step) -> None:
    step.standing.thawing = True
    _apply(step)


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


def _apply(step: Step) -> None:
    """Freeze the sandbox, or let it go on; one of these at a time."""
    standing, actor, sandbox = step.standing, step.actor, step.run.container
    if not standing.freezing:
        standing.freezing, frozen = True, not standing.thawing
        step.start("freeze", lambda: freeze(actor, sandbox, frozen=frozen))


def _refuse(step: Step, error: CtuiError) -> None:
    step.timer("resumed", None)
    for reply in step.standing.resuming:
        step.refuse(reply, error)
    step.standing.resuming = ()
