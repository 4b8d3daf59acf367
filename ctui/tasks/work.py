"""Bringing a task's commits home, at most one import at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from ctui.errors import CtuiError, Refused
from ctui.git.imports import import_work
from ctui.git.private import PrivateRepository, open_private
from ctui.git.repository import open_repository
from ctui.tasks.model import ImportedRef, Task, WorkState
from ctui.tasks.store import Store, now


class Work:
    """The imports of one run."""

    def __init__(
        self,
        task: Task,
        store: Store,
        fingerprint: Callable[[], str],
        bring: Callable[[], Awaitable[WorkState]],
    ) -> None:
        """Nothing is read or imported yet.

        Args:
        task: gets the result in its field `work`.
        store: where the task is saved.
        fingerprint: a cheap text that changes whenever the task's refs do.
        bring: imports everything that is new.
        """
        self._task = task
        self._store = store
        self._fingerprint = fingerprint
        self._bring = bring
        self._last = ""
        self._turn = asyncio.Lock()
        self._wanted = False

    def request(self) -> bool:
        """Whether the caller should import now: nobody else is about to."""
        if self._wanted:
            return False
        self._wanted = True
        return True

    async def bring_in(self) -> None:
        """Import what changed since the last time; sets the task's `work`."""
        async with self._turn:
            self._wanted = False
            current = await asyncio.to_thread(self._fingerprint)
            if current == self._last:
                return
            self._task.work = await self._bring()
            self._task.updated = now()
            self._store.tasks.save(self._task)
            # What changed while we read is found by the next request; what failed is tried again.
            self._last = "" if self._task.work.problem else current


async def bring_last(folder: Path, task: Task, store: Store, *, needed: bool) -> None:
    """Import what an earlier import could not, before the only other copy may go.

    Args:
        folder: the task's own folder; without a git directory in it there is nothing to bring.
        task: has no run; gets the result in its field `work`.
        store: where the task is saved.
        needed: refuse if it is not possible now.

    Raises:
        Refused: it is `needed`, and the repository is away or does not take it.
    """
    if not (folder / "git").is_dir():
        return
    task.work = await _bring_from(folder, task)
    store.tasks.save(task)
    if needed and task.work.problem:
        raise Refused(
            f"{task.work.problem}; its own git directory is the only place where they are",
            hint="mend that first, or --force deletes them",
        )


async def _bring_from(folder: Path, task: Task) -> WorkState:
    try:
        repository = await asyncio.to_thread(open_repository, Path(task.repository))
        metadata = Path(task.metadata) if task.metadata else None
        return await bring(open_private(repository, folder, metadata), task)
    except CtuiError as error:
        return WorkState(problem=f"its commits cannot be imported: {error.message}")


async def bring(private: PrivateRepository, task: Task) -> WorkState:
    """Import the task's work, in the words that the store keeps."""
    result = await import_work(private, task.id, task.branch, task.base)
    return WorkState(
        branch=result.branch,
        reason=result.reason,
        refs=tuple(ImportedRef(ref.name, ref.commit) for ref in result.refs),
        gitlinks=result.gitlinks,
        problem=result.problem,
    )
