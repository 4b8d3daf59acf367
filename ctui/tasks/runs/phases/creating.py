"""PREPARING and CREATING: a new run, from its place among the others to its sandbox."""

from __future__ import annotations

from typing import cast

from ctui.sandbox.runner import NOTHING
from ctui.tasks.mailbox.ports import ConsentMissing
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Notice, Run, TaskState
from ctui.tasks.runs.channel import Channel
from ctui.tasks.runs.failures import as_error
from ctui.tasks.runs.jobs.create import create, prepare_run
from ctui.tasks.runs.launch import Launch
from ctui.tasks.runs.outcome import settle
from ctui.tasks.runs.phases import closing, consent, live, queued, resting, shells
from ctui.tasks.session import conversation, turn_record


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
    standing, task, actor = step.standing, step.task, step.actor
    if standing.intent:
        closing.close(step)
    elif error is not None:
        standing.failure = as_error(error)
        settle(step)
        if standing.opened is not None:
            step.after(actor.free_slot)
            queued.forget_run(standing)
            shells.enter(step)
            return
        step.enter(Phase.RESTING)
        resting.rest(step)
        if isinstance(error, ConsentMissing):
            consent.ask(step, error)
    else:
        launch = cast("Launch", launch)
        _take_environment(step, launch)
        turn_record.taken(step, launch.before)
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
        step.store.messages.forget_said(task.id)
        if task.options.secrets:
            step.store.variables.note_given(task.id, step.time)
        task.sandbox = launch.facts
        step.enter(Phase.CREATING)
        opened = standing.opened
        step.start("create", lambda: create(actor, launch, run, opened))


def _take_environment(step: Step, launch: Launch) -> None:
    """Put the environment on record that the task has waited for."""
    built, task = launch.built, step.task
    if built is None:
        return
    consent.withdraw(step)
    task.options = built.given_to(task.options)
    for text in built.notes:
        step.note(Notice(kind="problem", text=text))


def created(step: Step, channel: object, error: BaseException | None) -> None:
    """Follow the run, or end it if that was said meanwhile."""
    if error is not None:
        closing.prevented(step, error)
        return
    step.standing.opened = None
    step.note(Notice(kind="started", text=f"run {step.run.number} started"))
    for text in step.task.sandbox.skipped if step.task.sandbox else ():
        step.note(Notice(kind="problem", text=text))
    live.enter(step, cast("Channel", channel))
    if step.standing.intent:
        step.standing.ending = False  # what was to be cancelled came to be, and is stopped now
    else:
        conversation.tell_waiting(step)
