"""LIVE: the run is followed until its sandbox does not run any more."""

from __future__ import annotations

from typing import cast

from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import RunOver, Step
from ctui.tasks.model import Notice
from ctui.tasks.runs.channel import Channel
from ctui.tasks.runs.disks import watching
from ctui.tasks.runs.jobs.follow import follow, follow_again
from ctui.tasks.runs.phases import closing

LOOK_SECONDS = 15.0
_ENGINE_DIED = 255
"""The exit code that an engine gives to what it does not know the end of."""


def enter(step: Step, channel: Channel) -> None:
    """Begin to follow a run: its sandbox is there, and this is the way into it."""
    actor, sandbox = step.actor, channel.sandbox
    step.run.container = sandbox
    step.store.runs.save(step.run)
    step.after(lambda: actor.use(channel))
    step.enter(Phase.LIVE)
    if step.task.cause == "engine":
        step.trouble("", "")
    epoch = step.standing.epoch
    # That of a run which was given up may not have heard yet that its sandbox is gone.
    step.start_anew("follow", lambda: follow(actor, sandbox, epoch))
    step.timer("look", LOOK_SECONDS)
    watching.went_live(step)


def follow_anew(step: Step) -> None:
    """Begin to follow the run once more: whoever follows it hears nothing."""
    actor, sandbox, epoch = step.actor, step.run.container, step.standing.epoch
    step.start_anew("follow", lambda: follow_again(actor, sandbox, epoch))


def followed(step: Step, result: object, error: BaseException | None) -> None:
    """Note that the journal of a live run is at its end."""
    if error is not None:
        closing.fail(step, error)
    else:
        sandbox_ended(step, cast("RunOver", result))


def sandbox_ended(step: Step, over: RunOver) -> None:
    """Close a run whose sandbox does not run any more."""
    run = step.run
    if over.state is not None and over.state.exit_code == _ENGINE_DIED:
        over = over._replace(lost=True)
    step.standing.over = over
    run.exit_code = over.state.exit_code if over.state else None
    step.store.runs.save(run)
    code = "unknown" if run.exit_code is None else run.exit_code
    step.note(Notice(kind="ended", text=f"run {run.number} ended (exit code {code})"))
    closing.close(step)
