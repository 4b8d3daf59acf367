"""Logins that the driver has pushed, and waiting for a better one. In memory only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable

from ctui.gateway.model import Login, LoginRejected

RENEW_SECONDS = 8.0
"""For which a call whose login was rejected waits for the driver's next table."""

_AGAIN_SECONDS = 5.0
"""Between two reports of the same rejected login."""


class Logins:
    """All logins by name."""

    def __init__(self, tell: Callable[[LoginRejected], bool]) -> None:
        """Begin with none. `tell` says it to the driver, and returns False if there is none."""
        self._tell = tell
        self._logins: dict[str, Login] = {}
        self._pushed = asyncio.Event()
        self._told: dict[str, tuple[float, asyncio.Event]] = {}

    def push(self, logins: Iterable[Login], used: Collection[str]) -> None:
        """Take the driver's new word for all of them.

        One that is in use and that it says nothing of stays: a driver that was killed may have had
        it from a person's shell, and the next one cannot know it.
        """
        known = dict(self._logins)
        for login in logins:
            if not (login.spare and login.name in known):
                known[login.name] = login
        self._logins = {name: login for name, login in known.items() if name in used}
        self._pushed.set()
        self._pushed = asyncio.Event()

    def find(self, name: str) -> Login | None:
        return self._logins.get(name)

    async def renewed(self, name: str, rejected: Login, status: int, run: str) -> Login | None:
        """Return another login of this name, or None if the driver has none for now."""
        if (newer := self._another(name, rejected)) is not None:
            return newer
        pushed = self._asked_for(LoginRejected(name, rejected.fingerprint, status, run))
        if pushed is None:
            return None
        try:
            async with asyncio.timeout(RENEW_SECONDS):
                await pushed.wait()
        except TimeoutError:
            return None
        return self._another(name, rejected)

    def _another(self, name: str, rejected: Login) -> Login | None:
        found = self._logins.get(name)
        return found if found is not None and found != rejected else None

    def _asked_for(self, rejected: LoginRejected) -> asyncio.Event | None:
        """Return what is set when the driver has looked; None if it just did, or there is none.

        Many calls may be rejected at once: it is told of the first one.
        """
        now = time.monotonic()
        at, pushed = self._told.get(rejected.fingerprint, (-_AGAIN_SECONDS, self._pushed))
        if now - at < _AGAIN_SECONDS:
            return None if pushed.is_set() else pushed
        if not self._tell(rejected):
            return None
        recent = {key: told for key, told in self._told.items() if now - told[0] < _AGAIN_SECONDS}
        self._told = {**recent, rejected.fingerprint: (now, self._pushed)}
        return self._pushed
