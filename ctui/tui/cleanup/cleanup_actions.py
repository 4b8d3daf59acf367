"""Removing, restoring and purging in the background; what leaves is off the screen at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

from textual.app import App

from ctui.client.worktrees.worktree_removal import remove_all
from ctui.client.worktrees.worktree_restore import open_trash, restore_all
from ctui.errors import CtuiError
from ctui.git.repository.repository import open_repository
from ctui.humanize import size_text
from ctui.paths import Paths
from ctui.text import one_line, sanitise
from ctui.tui.support.worker_loop import WorkerLoop
from ctui.worktrees.model import WorktreeStatus
from ctui.worktrees.size import size_on_disk
from ctui.worktrees.trash.entries import TrashEntry
from ctui.worktrees.trash.purge import Purged, purge

_WIDTH = 200


class CleanupActions:
    """Commands of the cleanup screen and the trash; they outlive both."""

    def __init__(
        self,
        app: App[Any],
        worker_loop: WorkerLoop,
        paths: Paths,
        git_dir: Path,
        changed: Callable[[Sequence[str]], None],
    ) -> None:
        """Prepare actions of which none has begun.

        Args:
            app: where what went wrong is told.
            worker_loop: where it is done.
            paths: whose worktrees.
            git_dir: of the repository.
            changed: called when worktrees came or went, with the paths of those that went.
        """
        self.leaving: set[str] = set()
        """Paths that are off the screen already, whatever is found when they are checked."""
        self.last_words: list[str] = []
        """Result of the last action, sanitised."""
        self._app = app
        self._worker_loop = worker_loop
        self._paths = paths
        self._git_dir = git_dir
        self._changed = changed
        self._batches: list[list[str]] = []
        self._turn = asyncio.Lock()

    def remove(self, seen: Sequence[WorktreeStatus], *, delete_branches: bool) -> None:
        """Remove these, as they were seen; unclean ones were confirmed."""
        self.leaving |= {status.path for status in seen}
        self.last_words = [f"Removing: {_names(status.name for status in seen)}."]
        self._start(self._remove(list(seen), delete_branches))

    def undo(self) -> None:
        """Bring the last batch back."""
        self.last_words = ["Bringing back what went last."] if self._batches else []
        self._start(self._undo())

    def restore(self, entries: Sequence[TrashEntry], done: Callable[[], None]) -> None:
        self._start(self._restore([entry.id for entry in entries]), done)

    def purge(self, entries: Sequence[TrashEntry], done: Callable[[], None]) -> None:
        """Delete these for good."""
        self._start(self._purge([entry.id for entry in entries]), done)

    def list_trash(self, take: Callable[[Sequence[TrashEntry]], None]) -> None:
        async def go() -> None:
            take(await self._worker_loop.submit(self._listed()))

        self._start(go())

    def measure(self, paths: Sequence[str], take: Callable[[str, int], None]) -> None:
        """Tell the sizes on disk, one after the other."""

        async def go() -> None:
            for path in paths:
                size = await asyncio.to_thread(size_on_disk, Path(path))
                if size is not None:
                    take(path, size)

        self._start(go())

    async def _listed(self) -> Sequence[TrashEntry]:
        async with open_trash(self._paths, self._git_dir) as trash:
            return await trash.entries()

    # -- how

    async def _remove(self, seen: list[WorktreeStatus], delete_branches: bool) -> None:
        async with self._turn:
            removed: list[TrashEntry] = []
            try:
                removed, refused = await self._worker_loop.submit(
                    remove_all(
                        self._paths,
                        self._git_dir,
                        seen,
                        force=True,
                        delete_branch=delete_branches,
                    )
                )
            finally:
                self._changed([entry.path for entry in removed])
                self.leaving -= {status.path for status in seen}
            if removed:
                self._batches.append([entry.id for entry in removed])
            for status, error in refused:
                self._complain(CtuiError(f"{status.name}: {error.message}", hint=error.hint))
            names = _names(entry.name for entry in removed)
            them = "it" if len(removed) == 1 else "them"
            self.last_words = [f"Removed: {names}.  u brings {them} back."] if removed else []

    async def _undo(self) -> None:
        async with self._turn:
            if not self._batches:
                self._app.notify("there is nothing to undo; t shows the trash", markup=False)
                return
            batch = self._batches.pop()
            left = await self._restored(batch)
            if left:
                self._batches.append(left)

    async def _restore(self, ids: list[str]) -> None:
        async with self._turn:
            await self._restored(ids)

    async def _restored(self, ids: list[str]) -> list[str]:
        """Bring these back, and return those that stayed."""
        try:
            restored, refused = await self._worker_loop.submit(
                restore_all(self._paths, self._git_dir, ids)
            )
        finally:
            self._changed([])
        for item in restored:
            for note in item.notes:
                self._app.notify(sanitise(note), markup=False)
        for error in refused.values():
            self._complain(error)
        names = _names(item.entry.name for item in restored)
        self.last_words = [f"Restored: {names}."] if restored else []
        self._batches = [
            left for batch in self._batches if (left := [e for e in batch if e not in ids])
        ]
        return list(refused)

    async def _purge(self, ids: list[str]) -> None:
        async with self._turn:
            purged = await self._worker_loop.submit(self._purged(ids))
            self._app.notify(f"deleted for good: {size_text(purged.freed)}", markup=False)

    async def _purged(self, ids: list[str]) -> Purged:
        return await purge(open_repository(self._git_dir), ids=ids)

    def _start(
        self, work: Coroutine[Any, Any, None], done: Callable[[], None] = lambda: None
    ) -> None:
        async def go() -> None:
            try:
                await work
            except CtuiError as error:
                self._complain(error)
            done()

        self._app.run_worker(go(), group="cleanup", exit_on_error=True)

    def _complain(self, error: CtuiError) -> None:
        text = f"{error.message}\n{error.hint}" if error.hint else error.message
        self._app.notify(sanitise(text), severity="error", timeout=10, markup=False)


def _names(names: Iterable[str]) -> str:
    return one_line(", ".join(names), _WIDTH)
