"""One key after the other: each goes where the one before it has led.

A key travels from the focused widget up to the app, and only there it may move the focus or open a
dialog. Without an order, one that is pressed meanwhile still goes to the old place: the `x` of a
text that follows `f` would be the key that stops a task.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App, ReturnType
from textual.message_pump import MessagePump
from textual.screen import Screen

_MOST_SECONDS = 1.0
"""A widget that is busy for longer holds up no key any more: one of them may be the way out."""


class KeysInOrder(App[ReturnType]):
    """Application that holds keys and pasted text back until what came before is dealt with."""

    _waiting: deque[events.Event]
    _busy = False
    _following: asyncio.Task[None]

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._busy:
            self._waiting.append(event)
        else:
            self._waiting = deque([event])
            await self._next()

    async def _next(self) -> None:
        self._busy = bool(self._waiting)
        if not self._busy:
            return
        screen = self.screen
        passing = (self.focused or screen).ancestors_with_self
        await super().on_event(self._waiting.popleft())
        self._following = asyncio.create_task(self._follow(passing, screen))

    async def _follow(self, passing: Sequence[MessagePump], screen: Screen[Any]) -> None:
        """Wait until all who may handle an event have; then it is the next one's turn."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MOST_SECONDS):
                for node in passing:
                    await _passed(node.call_later)
                # What the app was told to do as it handled the event: to move the focus, say.
                await _passed(self.call_later)
                if self.screen is not screen:
                    await _passed(self.call_after_refresh)
        self.call_later(self._next)


async def _passed(call: Callable[[Callable[[], object]], bool]) -> None:
    """Wait until whoever is called has come so far in its queue."""
    passed = asyncio.Event()
    if call(passed.set):
        await passed.wait()
