"""Consequences of a step in any phase: an import, or the end of the run."""

from __future__ import annotations

from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.runs.jobs.close import stop
from ctui.tasks.runs.jobs.look import bring_home
from ctui.tasks.runs.jobs.snapshot import snapshot
from ctui.tasks.runs.phases.closing import close
from ctui.tasks.session import turn_record


def begin_snapshot(step: Step, turn: int, *, at_end: bool) -> None:
    """Keep the files of a live task; what is said meanwhile waits for it."""
    standing, actor, task = step.standing, step.actor, step.task
    standing.snapshotting = True
    step.start("snapshot", lambda: snapshot(actor, task, turn, at_end=at_end))


def follow_up(step: Step) -> None:
    """Begin what the step has made necessary."""
    standing, actor, task = step.standing, step.actor, step.task
    if standing.import_wanted and not standing.importing and standing.phase is Phase.LIVE:
        standing.importing, standing.import_wanted = True, False
        step.start("import", lambda: bring_home(actor, task))
    due = standing.snapshot_due and not standing.snapshotting and standing.phase is Phase.LIVE
    if due and not standing.intent:
        standing.snapshot_due = False
        if (turn := turn_record.not_kept(step)) is not None:
            begin_snapshot(step, turn, at_end=True)
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
