"""ADOPTING: what an earlier driver left is looked for, and taken over where it is."""

from __future__ import annotations

from typing import cast

from ctui.sandbox.runner import SandboxState
from ctui.tasks.mailbox.states import Intent, Phase
from ctui.tasks.mailbox.step import RunOver, Step
from ctui.tasks.model import Run
from ctui.tasks.runs.jobs import adopt as job
from ctui.tasks.runs.phases import closing, live, queued
from ctui.tasks.session import conversation


def adopt(step: Step, run: Run | None) -> None:
    """Take over what an earlier driver left: its run, or the task in the queue."""
    if step.standing.phase is not Phase.RESTING:
        return
    if run is None:
        if not step.standing.intent:  # else it is ended, as it was to be
            queued.begin_by_itself(step)
        return
    step.standing.run = run
    step.standing.intent = step.standing.intent or cast("Intent", run.intent)
    step.standing.pause_text = step.task.problem if step.task.paused else ""
    step.standing.stored = step.store.runs.seen(run.task, run.number)
    step.enter(Phase.ADOPTING)
    actor, epoch = step.actor, step.standing.epoch
    step.after(actor.take_slot)
    step.start("adopt", lambda: job.adopt(actor, run, epoch))


def adopted(step: Step, result: object, error: BaseException | None) -> None:
    """Go on with the run where it is, or see that it is over."""
    if error is not None:
        closing.prevented(step, error)
        return
    standing, found = step.standing, cast("job.Adopted", result)
    if standing.stored is None:
        standing.stored = standing.view.seen
    if found.channel is None:
        if found.state is not None and not found.state.started:
            standing.again = standing.again or not standing.intent
        live.sandbox_ended(step, _end(step, found.state))
        return
    live.enter(step, found.channel)
    standing.import_wanted = True  # and a look at its folders: nobody watched them meanwhile
    if not standing.intent:
        conversation.caught_up(step)


def _end(step: Step, state: SandboxState | None) -> RunOver:
    """Return how a run ended that nobody was there to follow."""
    run = step.run
    if run.exit_code is not None:
        known = SandboxState(run.container, running=False, exit_code=run.exit_code)
        return RunOver(state or known, lost=False)
    if state is None:
        return RunOver(None, lost=True)
    with_the_machine = 0 < state.finished < step.services.booted
    return RunOver(state, lost=with_the_machine and not state.out_of_memory)
