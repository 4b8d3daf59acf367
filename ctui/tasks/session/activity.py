"""Upkeep of a task's activity: what it does now, its to-do list, and when it came to rest."""

from __future__ import annotations

import msgspec

from ctui.tasks.activity import Note
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import EndReason
from ctui.text import one_line

TIMER = "activity"

_TELL_NANOSECONDS = 1_000_000_000
"""A call that runs is stored and told no more often than that: some end within milliseconds."""
_NOTES_KEPT = 10
_NOTE_WIDTH = 500


def keep(step: Step) -> None:
    """Bring the activity up to date at the end of a step."""
    before = step.task.activity
    call, since = _call(step)
    rested = _rested(step)
    now = (call, since, step.view.todos, rested)
    if now != (before.call, before.since, before.todos, before.rested):
        _change(step, call=call, since=since, todos=step.view.todos, rested=rested)


def _call(step: Step) -> tuple[str, int]:
    """Return the call that is to be told, with its beginning: the last one for a while yet."""
    told = step.task.activity.call, step.task.activity.since
    if not step.task.state.live:
        return "", 0
    if step.view.call != told:
        left = step.standing.call_told + _TELL_NANOSECONDS - step.time
        if 0 < left <= _TELL_NANOSECONDS:
            step.timer(TIMER, left / 1e9)
            return told
        step.standing.call_told = step.time
    return step.view.call


def _rested(step: Step) -> int:
    """Return the time at which the task came to rest, which may be now."""
    task, rested = step.task, step.task.activity.rested
    # A turn that an earlier version saw begin is on no record.
    ends = step.was_live and (task.failed or not task.activity.began)
    if task.state.live or not (ends or task.activity.began > rested):
        return rested
    rested = max(step.time, task.activity.began)
    if not task.detached or task.reason is EndReason.STOPPED or task.cause == "interrupted":
        task.read = rested  # somebody follows it, or has ended it
    return rested


def began(step: Step) -> None:
    """Note that a turn has begun, unless it only goes on."""
    activity = step.task.activity
    if activity.began <= activity.rested:
        _change(step, began=max(step.time, activity.rested + 1))


def committed(step: Step) -> None:
    """Note that commits came home."""
    _change(step, committed=step.time)


def told(step: Step, text: str, *, urgent: bool) -> None:
    """Keep what the task told the person, until they look."""
    known = step.task.activity.notes
    # Two of one step are told apart by their times, too.
    at = max(step.time, known[-1].at + 1) if known else step.time
    note = Note(at, one_line(text, _NOTE_WIDTH), urgent)
    _change(step, notes=(*known[1 - _NOTES_KEPT :], note))


def _change(step: Step, **facts: object) -> None:
    step.task.activity = msgspec.structs.replace(step.task.activity, **facts)
