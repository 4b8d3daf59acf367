"""Places for runs: at most so many tasks have one, the others wait in the order they came."""

from __future__ import annotations

from collections.abc import Callable


class Slots:
    """The places for runs. All methods run on the driver's loop, and none waits."""

    def __init__(self, limit: Callable[[], int]) -> None:
        """Begin with all places free; `limit` is asked whenever one is wanted."""
        self._limit = limit
        self._holders: set[str] = set()
        self._waiting: dict[str, Callable[[], None]] = {}

    @property
    def crowded(self) -> int:
        """Return the number of tasks that wait."""
        return len(self._waiting)

    def want(self, task: str, grant: Callable[[], None]) -> None:
        """Call `grant` once, as soon as there is a place for the task."""
        self._waiting[task] = grant
        self._give()

    def take(self, task: str) -> None:
        """Take a place in any case, for what runs already."""
        self._holders.add(task)

    def free(self, task: str) -> None:
        """Give the place back, or do not want one any more."""
        self._waiting.pop(task, None)
        self._holders.discard(task)
        self._give()

    def _give(self) -> None:
        while self._waiting and len(self._holders) < self._limit():
            task = next(iter(self._waiting))
            grant = self._waiting.pop(task)
            self._holders.add(task)
            grant()
