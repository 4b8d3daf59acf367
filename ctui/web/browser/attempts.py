"""Logins that are tried: each wrong one takes longer, and only its own address waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST = 0.25
_LONGEST = 4.0
"""Seconds that the answer to a wrong attempt takes: twice as long each time."""

_FORGOTTEN = 900.0
"""Seconds after which an address is as good as new."""

_MOST_WAITING = 4
_MOST_ADDRESSES = 1024


class TooMany(Exception):
    """More attempts from one address at once than wait for their turn."""


class _Address:
    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.waiting = 0
        self.wrong = 0
        self.last = 0.0


class Attempts:
    """Attempts to log in, by address."""

    def __init__(self, first: float = _FIRST, longest: float = _LONGEST) -> None:
        self._first = first
        self._longest = longest
        self._addresses: dict[str, _Address] = {}

    async def attempt(self, address: str, login: Callable[[], T | None]) -> T | None:
        """Return what `login` gives; None, which is a wrong attempt, only after a while.

        Raises:
            TooMany: without having tried.
        """
        known = self._of(address)
        if known.waiting >= _MOST_WAITING:
            raise TooMany
        known.waiting += 1
        try:
            async with known.turn:
                found = login()
                if found is not None:
                    known.wrong = 0
                else:
                    known.wrong += 1
                    known.last = time.monotonic()
                    # Inside its turn: many attempts at once are no quicker than one by one.
                    await asyncio.sleep(min(self._first * 2 ** (known.wrong - 1), self._longest))
                return found
        finally:
            known.waiting -= 1

    def _of(self, address: str) -> _Address:
        now = time.monotonic()
        known = self._addresses.setdefault(address, _Address())
        if now - known.last > _FORGOTTEN:
            known.wrong = 0
        if len(self._addresses) > _MOST_ADDRESSES:
            idle = (name for name, each in self._addresses.items() if not each.waiting)
            self._addresses.pop(next(name for name in idle if name != address), None)
        return known
