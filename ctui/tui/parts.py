"""What the dashboard works with, each made when it is first needed: a picture needs none of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual.app import App

from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tui.place import Place

if TYPE_CHECKING:
    from ctui.client import Client
    from ctui.tui.deeds import Deeds
    from ctui.tui.frame_clock import FrameClock
    from ctui.tui.pane import Pane


class Parts:
    """The parts of one dashboard."""

    def __init__(self, app: App[Any], paths: Paths, place: Place) -> None:
        self.paths = paths
        self.place = place
        self._app = app

    @cached_property
    def client(self) -> Client:
        """The way to the driver."""
        from ctui.client import Client

        return Client(self.paths)

    @cached_property
    def deeds(self) -> Deeds:
        """The person's commands."""
        from ctui.tui.deeds import Deeds

        return Deeds(self._app, self.client, self.place.git_dir)

    def make_pane(self, task: Task, widget_id: str) -> Pane:
        """A task's pane, not mounted yet."""
        from ctui.tui.pane import Pane

        return Pane(self.client, self._clock, task, id=widget_id)

    @cached_property
    def _clock(self) -> FrameClock:
        from ctui.tui.frame_clock import FrameClock

        return FrameClock(self._app)
