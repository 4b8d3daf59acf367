"""The archives of all tasks, each open once."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import suppress

from ctui.errors import Unavailable
from ctui.paths import Paths
from ctui.redaction.redactor import Redactor
from ctui.tasks.journal.archive import Journal
from ctui.tasks.journal.task_file import write_task_file
from ctui.tasks.model import Run, Task, TaskState
from ctui.tasks.store import Store

_KEEP_SECONDS = 1.0


class Journals:
    """The one writer of each task's archive."""

    def __init__(self, paths: Paths, store: Store, redactor: Redactor) -> None:
        self._paths = paths
        self._store = store
        self._redactor = redactor
        self._open: dict[str, Journal] = {}
        self._records: dict[str, Task] = {}
        """The newest of each task that is to be written; only a writer takes them out."""
        self._writing = threading.Lock()
        self._keeping: asyncio.TimerHandle | None = None
        self._jobs: set[asyncio.Task[None]] = set()

    def of(self, task_id: str) -> Journal:
        """Return the task's archive, open for appending. Raises NotFound."""
        if task_id not in self._open:
            self._store.tasks.get(task_id, removed=True)
            self._open[task_id] = Journal(self._paths.task(task_id), self._redactor)
        return self._open[task_id]

    async def archived(self, run: Run) -> Counter[str]:
        """Return how many lines of each stream of a run its archive holds."""
        return await asyncio.to_thread(self.of(run.task).archived, run.number)

    async def sync(self, task_id: str) -> None:
        """Put an archive and the store on the disk itself, if that can be done.

        What was written is kept in any case; only a power cut could take it.
        """
        with suppress(Unavailable):
            await asyncio.to_thread(self.of(task_id).sync)
        await asyncio.to_thread(self._store.sync)

    def keep(self, task: Task) -> None:
        """Write a task's record beside its journal, in a thread: an end at once, else soon."""
        self._records[task.id] = task
        if task.state is TaskState.ENDED:
            self._keep_now()
        elif self._keeping is None:
            self._keeping = asyncio.get_running_loop().call_later(_KEEP_SECONDS, self._keep_now)

    def _keep_now(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        job = asyncio.create_task(asyncio.to_thread(self._write))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    def _write(self) -> None:
        # A record is taken out by whoever writes now, so an older one never follows a newer one.
        with self._writing:
            while self._records:
                _, task = self._records.popitem()
                folder = self._paths.task(task.id)
                if folder.is_dir():
                    with suppress(Unavailable):
                        write_task_file(folder, task)

    def rest(self, task_id: str) -> None:
        """Close a journal that nobody follows."""
        journal = self._open.get(task_id)
        if journal is not None and not journal.followed:
            self.close(task_id)

    def close(self, task_id: str) -> None:
        """Close an archive that is not needed now."""
        journal = self._open.pop(task_id, None)
        if journal is not None:
            journal.close()

    def close_all(self) -> None:
        """Close all archives, and write the records that are to be written."""
        self._write()
        for journal in self._open.values():
            journal.close()
        self._open.clear()
