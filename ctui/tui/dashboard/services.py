"""Services of the dashboard, each made when it is first needed: a picture needs none of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual.app import App

from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tui.support.place import Place

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.tui.cleanup.cleanup_actions import CleanupActions
    from ctui.tui.pane.pane import Pane
    from ctui.tui.review.review_actions import ReviewActions
    from ctui.tui.support.frame_clock import FrameClock
    from ctui.tui.support.task_actions import TaskActions
    from ctui.tui.support.worker_loop import WorkerLoop


class Services:
    """The services of one dashboard."""

    def __init__(self, app: App[Any], paths: Paths, place: Place) -> None:
        self.paths = paths
        self.place = place
        self.app = app
        self._cleanup: CleanupActions | None = None

    @cached_property
    def client(self) -> Client:
        """Return the way to the driver."""
        from ctui.client.client import Client

        return Client(self.paths)

    @cached_property
    def task_actions(self) -> TaskActions:
        """Return the person's commands."""
        from ctui.tui.support.task_actions import TaskActions

        return TaskActions(self.app, self.client, self.worker_loop, self.place.git_dir)

    @cached_property
    def worker_loop(self) -> WorkerLoop:
        """Return the loop in which git and files are waited for."""
        from ctui.tui.support.worker_loop import WorkerLoop

        return WorkerLoop()

    def cleanup(self, changed: Callable[[Sequence[str]], None]) -> CleanupActions:
        """Return the commands of the cleanup screen; the same each time, so that it can undo."""
        from ctui.tui.cleanup.cleanup_actions import CleanupActions

        if self._cleanup is None:
            self._cleanup = CleanupActions(
                self.app, self.worker_loop, self.paths, self.place.git_dir, changed
            )
        return self._cleanup

    def review(self, worktree: str) -> ReviewActions:
        """Return what a review of the worktree at a path asks of git and the store."""
        from ctui.tui.review.review_actions import ReviewActions

        return ReviewActions(self.app, self.worker_loop, self.paths, self.place.git_dir, worktree)

    def make_pane(self, task: Task, widget_id: str) -> Pane:
        """Return a task's pane, not mounted yet."""
        from ctui.tui.pane.pane import Pane

        return Pane(self.client, self._clock, task, id=widget_id)

    async def close(self) -> None:
        """Let go of everything that was made."""
        if "client" in self.__dict__:
            await self.client.close()
        if "worker_loop" in self.__dict__:
            await self.worker_loop.close()

    @cached_property
    def _clock(self) -> FrameClock:
        from ctui.tui.support.frame_clock import FrameClock

        return FrameClock(self.app)
