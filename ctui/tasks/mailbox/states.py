"""The states of a task and of its run, as tables. A change that is not in them is a mistake."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from ctui.tasks.model import TaskState

_Q, _S, _R = TaskState.QUEUED, TaskState.STARTING, TaskState.RUNNING
_W, _I, _E = TaskState.WAITING, TaskState.IDLE, TaskState.ENDED

TASK_CHANGES: dict[TaskState, frozenset[TaskState]] = {
    _Q: frozenset({_S, _R, _W, _I, _E}),
    _S: frozenset({_Q, _R, _W, _I, _E}),
    _R: frozenset({_Q, _W, _I, _E}),
    _W: frozenset({_Q, _S, _R, _I, _E}),
    _I: frozenset({_Q, _R, _W, _E}),
    _E: frozenset({_Q, _I}),
}
"""From a state to those that may follow. An ended task works again only by way of the queue, or is
found to be idle."""


class Phase(StrEnum):
    """Phase of a task's run; a resting task has none."""

    RESTING = "resting"
    QUEUED = "queued"
    PREPARING = "preparing"
    """Login, image and mounts are looked up; there is no sandbox yet."""
    CREATING = "creating"
    """The run is on record, and its sandbox is made and started."""
    OPENING = "opening"
    """A sandbox without the CLI is made, for a person's shell."""
    OPEN = "open"
    """There is one, and its relay waits for the first line."""
    ADOPTING = "adopting"
    """A run of an earlier driver is looked for, and its journal read again."""
    LIVE = "live"
    CLOSING = "closing"
    """The run is over: its work comes home, and its sandbox is removed."""
    LEAVING = "leaving"
    """The task goes off the list, or is deleted."""


_P = Phase
PHASE_CHANGES: dict[Phase, frozenset[Phase]] = {
    _P.RESTING: frozenset({_P.QUEUED, _P.ADOPTING, _P.CLOSING, _P.LEAVING, _P.OPENING, _P.OPEN}),
    _P.OPENING: frozenset({_P.OPEN, _P.CLOSING}),
    _P.OPEN: frozenset({_P.QUEUED, _P.CLOSING}),
    _P.QUEUED: frozenset({_P.PREPARING, _P.CLOSING}),
    _P.PREPARING: frozenset({_P.CREATING, _P.CLOSING, _P.RESTING, _P.OPEN}),
    _P.CREATING: frozenset({_P.LIVE, _P.CLOSING}),
    _P.ADOPTING: frozenset({_P.LIVE, _P.CLOSING}),
    _P.LIVE: frozenset({_P.CLOSING}),
    _P.CLOSING: frozenset({_P.RESTING}),
    _P.LEAVING: frozenset({_P.RESTING}),
}

Intent = Literal["", "asleep", "stopped", "completed", "failed"]
"""Reason for which the driver ends a run; "" if it does not."""

STRENGTH: dict[Intent, int] = {"": 0, "asleep": 1, "completed": 2, "failed": 3, "stopped": 4}
"""Of two reasons to end a run the stronger one counts."""


class IllegalChange(AssertionError):
    """A change that the tables do not have."""


def check_task(before: TaskState, after: TaskState) -> None:
    """Raise IllegalChange unless a task may go from one state to the other."""
    if after is not before and after not in TASK_CHANGES[before]:
        raise IllegalChange(f"a task cannot go from {before} to {after}")


def check_phase(before: Phase, after: Phase) -> None:
    """Raise IllegalChange unless a run may go from one phase to the other."""
    if after not in PHASE_CHANGES[before]:
        raise IllegalChange(f"a run cannot go from {before} to {after}")
