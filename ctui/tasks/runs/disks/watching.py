"""Looks at the disk space that a run takes: soon after its start, and then less and less often."""

from __future__ import annotations

from typing import cast

from ctui.tasks.disk_usage import Usage
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Reply, Standing, Step
from ctui.tasks.model import Task, TaskState
from ctui.tasks.runs.disks import pausing
from ctui.tasks.runs.disks.limits import Over, exceeded, known_limits, too_little_space
from ctui.tasks.runs.disks.pausing import FIRST_SECONDS
from ctui.tasks.runs.jobs.look import Measured, measure

_LONGEST_SECONDS = 60.0
"""Between two looks at a run that was looked at often already."""


def went_live(step: Step) -> None:
    """Begin to look at a run, or freeze one that was frozen when its driver died."""
    if step.task.paused:
        pausing.apply(step)
        if step.standing.resuming:
            look(step)
    else:
        step.standing.look_every = FIRST_SECONDS
        step.timer("budget", 0.0)


def look(step: Step) -> None:
    """Measure what the run takes, in a job."""
    standing, actor, task = step.standing, step.actor, step.task
    if standing.measuring or standing.phase is not Phase.LIVE:
        return
    standing.measuring, standing.limits = True, None
    files = known_limits(step).files
    step.start("measure", lambda: measure(actor, task, files))


def measured(step: Step, result: object, error: BaseException | None) -> None:
    """Take the figures: freeze the run, or let it go on."""
    standing = step.standing
    standing.measuring = False
    if standing.intent:
        return
    found = cast("Measured", result) if error is None else Measured(Usage(), None, "")
    over = exceeded(step, found.usage)
    if over is None and standing.resuming:
        over = too_little_space(step, found)
    if over is not None:
        pausing.freeze(step, over)
    elif standing.resuming:
        pausing.thaw(step)
    if not step.task.paused:
        step.timer("budget", standing.look_every)
        standing.look_every = min(_LONGEST_SECONDS, standing.look_every * 2)


def grown(step: Step) -> None:
    """Look at what lines tell at once: the journal's size, and the home's."""
    if step.standing.phase is Phase.LIVE and not (step.standing.intent or step.task.paused):
        over = exceeded(step, Usage())
        if over is not None:
            pausing.freeze(step, over)


def space(step: Step, low: str) -> None:
    """Freeze what works where a disk has too little left; "" lets it go on."""
    standing, task = step.standing, step.task
    if standing.phase is not Phase.LIVE or standing.intent:
        return
    if low and not task.paused and _works(task):
        pausing.freeze(step, Over("space", low))
    elif not low and task.paused == "space":
        pausing.thaw(step)


def needs_space(standing: Standing) -> bool:
    """Return True for a task that the floor of free space pauses, or lets go on."""
    if standing.phase is not Phase.LIVE or standing.intent:
        return False
    return standing.task.paused == "space" or _works(standing.task)


def resume(step: Step, reply: Reply) -> None:
    """Go on if nothing is over its limit any more; the reply comes when that is known."""
    step.standing.resuming = (*step.standing.resuming, reply)
    step.timer("resumed", 10.0)
    look(step)


def _works(task: Task) -> bool:
    """Return True for a task that may be writing something."""
    return task.state is not TaskState.IDLE or bool(task.background)
