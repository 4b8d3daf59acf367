"""The observer of worktrees, run in the worker loop; it reports to the screen's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.paths import Paths
from ctui.tui.support.worker_loop import WorkerLoop

if TYPE_CHECKING:
    from ctui.client.worktrees.observer import Observation, Observer


class WorktreeObserver:
    """Observer whose methods can be called at any time, also before it stands."""

    def __init__(self, paths: Paths, git_dir: Path, told: Callable[[Observation], None]) -> None:
        """Prepare an observer that looks at nothing yet.

        Args:
            paths: whose records and tasks.
            git_dir: of the repository.
            told: called in the screen's loop with what was seen.
        """
        self._paths = paths
        self._git_dir = git_dir
        self._told = told
        self._worker_loop: WorkerLoop | None = None
        self._observer: Observer | None = None

    async def run(self, worker_loop: WorkerLoop) -> None:
        """Look until cancelled."""
        self._worker_loop = worker_loop
        here = asyncio.get_running_loop()

        async def observe() -> None:
            from ctui.client.worktrees.observer import Observer

            def tell(seen: Observation) -> None:
                with suppress(RuntimeError):  # the screen has just closed
                    here.call_soon_threadsafe(self._told, seen)

            self._observer = Observer(self._paths, self._git_dir, tell)
            await self._observer.run()

        await worker_loop.submit(observe())

    def look(self, path: str = "") -> None:
        """Look as soon as possible: something changed in this worktree, or somewhere."""
        self._call(lambda observer: observer.look(path))

    def attend(self, focused: Sequence[str], visible: Sequence[str]) -> None:
        """Say which worktrees somebody or a task works on, and which can be seen: by path."""
        self._call(lambda observer: observer.attend(focused, visible))

    def _call(self, do: Callable[[Observer], None]) -> None:
        if self._worker_loop is not None and self._observer is not None:
            self._worker_loop.loop.call_soon_threadsafe(do, self._observer)
