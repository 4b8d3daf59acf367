"""Consequences of a step in any phase: an import, or the end of the run."""

from __future__ import annotations

from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs.jobs.close import stop
from ctui.tasks.runs.jobs.look import bring_home
from ctui.tasks.runs.phases.closing import close


def follow_up(step: Step) -> None:
    """Begin what the step has made necessary."""
    standing, actor, task = step.standing, step.actor, step.task
    if standing.import_wanted and not standing.importing and standing.phase is Phase.LIVE:
        standing.importing, standing.import_wanted = True, False
        step.start("import", lambda: bring_home(actor, task))
    if not standing.intent or standing.ending:
        return
    standing.ending = True
    match standing.phase:
        case Phase.OPENING:
            step.cancel("open")
        case Phase.QUEUED | Phase.RESTING | Phase.OPEN:
            close(step)
        case Phase.PREPARING:
            step.cancel("prepare")
        case Phase.CREATING:
            step.cancel("create")
        case Phase.LIVE | Phase.ADOPTING:
            run = step.run
            step.start("stop", lambda: stop(actor, run))
