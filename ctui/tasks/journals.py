"""The archives of all tasks, each open once."""

from __future__ import annotations

from contextlib import suppress

from ctui.claude.credentials import Redactor
from ctui.errors import Unavailable
from ctui.paths import Paths
from ctui.tasks.journal import Journal
from ctui.tasks.model import Task
from ctui.tasks.store import Store
from ctui.tasks.task_file import write_task_file


class Journals:
    """The one writer of each task's archive."""

    def __init__(self, paths: Paths, store: Store, redactor: Redactor) -> None:
        self._paths = paths
        self._store = store
        self._redactor = redactor
        self._open: dict[str, Journal] = {}

    def of(self, task_id: str) -> Journal:
        """Return the task's archive, open for appending. Raises NotFound."""
        if task_id not in self._open:
            self._store.tasks.get(task_id, removed=True)
            self._open[task_id] = Journal(self._paths.task(task_id), self._redactor)
        return self._open[task_id]

    def keep(self, task: Task) -> None:
        """Write a task's record beside its journal, if the disk takes it."""
        folder = self._paths.task(task.id)
        if folder.is_dir():
            with suppress(Unavailable):
                write_task_file(folder, task)

    def close(self, task_id: str) -> None:
        """Close an archive that is not needed now."""
        journal = self._open.pop(task_id, None)
        if journal is not None:
            journal.close()

    def close_all(self) -> None:
        for journal in self._open.values():
            journal.close()
        self._open.clear()
