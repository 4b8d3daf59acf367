"""Admission to ports of tasks: keys that work once, and cookies that they are changed for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import NamedTuple

COOKIE = "ctui-port"
"""Name of the cookie, which no task sees."""
KEY_SECONDS = 60.0
COOKIE_SECONDS = 24 * 3600
_KEYS = 1000
"""Keys that wait to be used; the oldest go first."""


class Place(NamedTuple):
    """A port of a task, by the label of the task in its address."""

    label: str
    port: int


class Admission:
    """Keys and cookies of one view; each is for one port of one task.

    A cookie is a message and its authentication, so a view that is started again with the same
    secret knows those that it gave before.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._keys: dict[str, tuple[Place, float]] = {}

    def key(self, place: Place) -> str:
        """Return a new key for a place."""
        now = time.monotonic()
        fresh = {key: value for key, value in self._keys.items() if value[1] > now}
        while len(fresh) >= _KEYS:
            fresh.pop(next(iter(fresh)))
        self._keys = fresh
        key = secrets.token_urlsafe(24)
        self._keys[key] = place, now + KEY_SECONDS
        return key

    def use(self, key: str, place: Place) -> bool:
        """Return True if a key is for this place; it is used up, whatever place it was for."""
        given, until = self._keys.pop(key, (None, 0.0))
        return given == place and time.monotonic() < until

    def cookie(self, place: Place) -> str:
        """Return the value of a cookie for a place."""
        until = str(int(time.time()) + COOKIE_SECONDS)
        return f"{until}.{self._signature(place, until)}"

    def set_cookie(self, place: Place, *, tls: bool) -> bytes:
        """Return a `Set-Cookie` for a place."""
        value = f"{COOKIE}={self.cookie(place)}; Path=/; HttpOnly; SameSite=Lax"
        secure = "; Secure" if tls else ""
        return f"{value}; Max-Age={COOKIE_SECONDS}{secure}".encode()

    def admits(self, value: str, place: Place) -> bool:
        """Return True if the value of a cookie is for this place, and still counts."""
        until, _, signature = value.partition(".")
        right = self._signature(place, until)
        return (
            hmac.compare_digest(signature.encode(), right.encode())
            and until.isdigit()
            and int(until) > time.time()
        )

    def _signature(self, place: Place, until: str) -> str:
        message = f"{place.label}:{place.port}:{until}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def cookies(header: bytes) -> tuple[list[str], bytes]:
    """Return the values of ctui's cookie in a `Cookie` header, and the header without them."""
    ours, others = [], []
    for pair in header.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name.strip() == COOKIE.encode():
            ours.append(value.strip().decode("latin-1"))
        elif pair.strip():
            others.append(pair.strip())
    return ours, b"; ".join(others)


def own_site_only(header: bytes) -> bytes | None:
    """Return a task's `Set-Cookie` without its domain, or None for one with the name of ctui's.

    A domain would show the cookie to other ports and tasks, or let it stand in for theirs.
    """
    pair, *attributes = header.split(b";")
    if pair.partition(b"=")[0].strip() == COOKIE.encode():
        return None
    kept = [one for one in attributes if one.partition(b"=")[0].strip().lower() != b"domain"]
    return b";".join([pair, *kept])
