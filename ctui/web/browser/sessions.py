"""Logins, kept in memory, so that everybody is logged out when the server ends."""

from __future__ import annotations

import hmac
import secrets
import time
from asyncio import Event
from collections.abc import Callable
from typing import NamedTuple

LIFETIME = 12 * 3600
"""Seconds after a login, whatever happens in between."""

_BYTES = 32
_MOST = 64
"""Sessions; the oldest one goes when there are more."""


class Secrets(NamedTuple):
    """Secrets of a login, which a browser keeps and shows together."""

    cookie: str
    key: str
    """In the page's own storage. Browsers send a cookie to every port of a host (RFC 6265, 8.5),
    so whoever serves something else there may know the cookie; storage belongs to one port."""


class Session:
    """One login."""

    def __init__(self, token: str, key: str, ends: float) -> None:
        self.token = token
        self.key = key
        self.ends = ends
        self.over = Event()
        """Set when it was logged out."""

    def has_key(self, key: str) -> bool:
        """Return True if this is the key, found out in a time that tells nothing of it."""
        return hmac.compare_digest(self.key.encode(), key.encode("utf-8", "replace"))


class Sessions:
    """All logins of one server."""

    def __init__(
        self, check_token: Callable[[str], bool], clock: Callable[[], float] = time.time
    ) -> None:
        """Prepare sessions for a server to which nobody is logged in yet.

        Args:
            check_token: whether a token is right at this moment, in constant time. A session is
                over as soon as the token that it was opened with is not.
            clock: seconds. Time that the machine sleeps must count.
        """
        self._check = check_token
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def open(self, token: str) -> Secrets | None:
        """Log somebody in, or return None if the token is wrong."""
        if not self._check(token):
            return None
        made = Secrets(secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES))
        while len(self._sessions) >= _MOST:
            self.close(next(iter(self._sessions)))
        self._sessions[made.cookie] = Session(token, made.key, self._clock() + LIFETIME)
        return made

    def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie, if it still holds."""
        # 256 random bits are found by their hash: how long that takes tells nothing of others.
        session = self._sessions.get(cookie)
        if session is not None and not self.holds(session):
            self.close(cookie)
            return None
        return session

    def holds(self, session: Session) -> bool:
        """Return True if it is neither logged out nor too old, and its token is still right."""
        alive = not session.over.is_set() and self._clock() < session.ends
        return alive and self._check(session.token)

    def close(self, cookie: str) -> None:
        """Log out. Nothing happens if that was done before."""
        if (session := self._sessions.pop(cookie, None)) is not None:
            session.over.set()
