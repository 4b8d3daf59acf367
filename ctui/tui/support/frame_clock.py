"""At most thirty paintings a second, however much happens in between."""

from __future__ import annotations

from time import monotonic
from typing import Any, Protocol

from textual.app import App

FRAME_SECONDS = 1 / 30


class Paintable(Protocol):
    """Something that can bring itself up to date."""

    def paint(self) -> None: ...


class FrameClock:
    """Clock of the whole screen: the first change is painted at once, the next ones together."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._waiting: dict[Paintable, None] = {}
        self._running = False
        self._last = 0.0

    def request(self, view: Paintable) -> None:
        """Paint `view` with the next frame."""
        self._waiting[view] = None
        if self._running:
            return
        self._running = True
        left = self._last + FRAME_SECONDS - monotonic()
        if left <= 0:
            self._app.call_later(self._frame)
        else:
            self._app.set_timer(left, self._frame)

    def _frame(self) -> None:
        self._running = False
        self._last = monotonic()
        waiting, self._waiting = self._waiting, {}
        for view in waiting:
            view.paint()
