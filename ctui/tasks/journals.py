"""The archives of all tasks, each open once."""

from __future__ import annotations

from ctui.claude.credentials import Redactor
from ctui.paths import Paths
from ctui.tasks.journal import Journal
from ctui.tasks.store import Store


class Journals:
    """The one writer of each task's archive."""

    def __init__(self, paths: Paths, store: Store, redactor: Redactor) -> None:
        self._paths = paths
        self._store = store
        self._redactor = redactor
        self._open: dict[str, Journal] = {}

    def of(self, task_id: str) -> Journal:
        """The task's archive, open for appending. Raises NotFound."""
        if task_id not in self._open:
            self._store.tasks.get(task_id)
            self._open[task_id] = Journal(self._paths.task(task_id), self._redactor)
        return self._open[task_id]

    def close(self, task_id: str) -> None:
        journal = self._open.pop(task_id, None)
        if journal is not None:
            journal.close()

    def close_all(self) -> None:
        for journal in self._open.values():
            journal.close()
