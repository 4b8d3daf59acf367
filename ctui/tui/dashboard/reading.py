"""Finding out what the person has read: what they have looked at for a while. Pure."""

from __future__ import annotations

from ctui.tasks.model import Task

READ_SECONDS = 2.0


class Reading:
    """Clock of the task that is looked at."""

    def __init__(self) -> None:
        self._seen: tuple[str, int] = ("", 0)
        self._since = 0.0
        self._told = False

    def look(self, task: Task | None, now: float) -> int | None:
        """Return the time until which a task has been read; None while nothing is new of it.

        Args:
            task: the one that somebody looks at now; None if nobody looks at any.
            now: seconds of a clock that only runs forward.
        """
        latest = _latest(task) if task is not None else 0
        seen = (task.id, latest) if task is not None else ("", 0)
        if seen != self._seen:
            self._seen, self._since, self._told = seen, now, False
        if self._told or not latest or now - self._since < READ_SECONDS:
            return None
        self._told = True
        return latest


def _latest(task: Task) -> int:
    """Return the time of the newest thing of a task that was not read; 0 if all of it was."""
    times = [note.at for note in task.unread_notes]
    return max([*times, task.activity.rested if task.unread else 0])
