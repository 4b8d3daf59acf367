"""What the dashboard works with, each made when it is first needed: a picture needs none of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual.app import App

from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tui.place import Place

if TYPE_CHECKING:
    from ctui.client import Client
    from ctui.tui.backstage import Backstage
    from ctui.tui.cleanup_deeds import CleanupDeeds
    from ctui.tui.deeds import Deeds
    from ctui.tui.frame_clock import FrameClock
    from ctui.tui.pane import Pane


class Parts:
    """The parts of one dashboard."""

    def __init__(self, app: App[Any], paths: Paths, place: Place) -> None:
        self.paths = paths
        self.place = place
        self._app = app
        self._cleanup: CleanupDeeds | None = None

    @cached_property
    def client(self) -> Client:
        """The way to the driver."""
        from ctui.client import Client

        return Client(self.paths)

    @cached_property
    def deeds(self) -> Deeds:
        """The person's commands."""
        from ctui.tui.deeds import Deeds

        return Deeds(self._app, self.client, self.backstage, self.place.git_dir)

    @cached_property
    def backstage(self) -> Backstage:
        """Where git and files are waited for."""
        from ctui.tui.backstage import Backstage

        return Backstage()

    def cleanup(self, changed: Callable[[Sequence[str]], None]) -> CleanupDeeds:
        """The commands of the cleanup screen; the same ones each time, so that it can undo."""
        from ctui.tui.cleanup_deeds import CleanupDeeds

        if self._cleanup is None:
            self._cleanup = CleanupDeeds(
                self._app, self.backstage, self.paths, self.place.git_dir, changed
            )
        return self._cleanup

    def make_pane(self, task: Task, widget_id: str) -> Pane:
        """A task's pane, not mounted yet."""
        from ctui.tui.pane import Pane

        return Pane(self.client, self._clock, task, id=widget_id)

    async def close(self) -> None:
        """Let go of everything that was made."""
        if "client" in self.__dict__:
            await self.client.close()
        if "backstage" in self.__dict__:
            await self.backstage.close()

    @cached_property
    def _clock(self) -> FrameClock:
        from ctui.tui.frame_clock import FrameClock

        return FrameClock(self._app)
