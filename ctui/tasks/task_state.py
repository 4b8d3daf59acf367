"""States of a task, for whoever needs no more of the model."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """State of a task."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    """Something is asked, or a login is missing."""
    IDLE = "idle"
    """The turn is over; the CLI is alive, or asleep until the next message."""
    ENDED = "ended"

    @property
    def live(self) -> bool:
        """Return True if work goes on, or would go on as soon as somebody answers."""
        return self not in {TaskState.IDLE, TaskState.ENDED}
