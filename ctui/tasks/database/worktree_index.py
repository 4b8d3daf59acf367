"""The worktrees on record and the tasks that work in them, opened without the model of tasks."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.tasks.database.database import Database
from ctui.tasks.database.read_marks import ReadMarkTable
from ctui.tasks.database.task_places import TaskPlaceTable
from ctui.tasks.database.worktrees import WorktreeTable

if TYPE_CHECKING:
    from ctui.tasks.database.threads import ThreadTable


class WorktreeIndex:
    """One connection, used from one thread."""

    def __init__(self, path: Path | str, *, busy_seconds: float = 10.0) -> None:
        """Open the file and bring it to the newest version.

        Args:
            path: of the file; ":memory:" keeps everything in this process.
            busy_seconds: how long to wait for another process that writes.

        Raises:
            StoreUnavailable: it cannot be used now (locked, full disk, read-only folder).
            StoreDamaged: it is damaged, or it is empty beside the journals of tasks.
            Refused: a newer ctui wrote it.
        """
        self._database = Database(path, busy_seconds=busy_seconds)
        self.worktrees = WorktreeTable(self._database)
        self.places = TaskPlaceTable(self._database)
        self.read_marks = ReadMarkTable(self._database)

    @cached_property
    def threads(self) -> ThreadTable:
        """Return the threads of comments, of which a list of worktrees knows nothing."""
        from ctui.tasks.database.threads import ThreadTable

        return ThreadTable(self._database)

    def transaction(self) -> AbstractContextManager[None]:
        """Make everything inside happen, or nothing of it; one inside another is a part of it."""
        return self._database.transaction()

    def check_writable(self) -> None:
        """Raise StoreUnavailable if nothing can be written now."""
        with self.transaction():
            pass

    def close(self) -> None:
        self._database.close()
