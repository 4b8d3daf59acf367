"""Addresses of ports: what a browser is told, and which port the name of a host means; pure.

On this machine each task is a site of its own (`PORT.TASK.localhost`). Elsewhere all tasks are
below one domain (`PORT-TASK.DOMAIN`: one part, as a wildcard of certificates covers it): browsers
take them for one site, so that what a task may ask of another has to be looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ctui.gateway.ports.admission import Place

_PORT = r"([1-9][0-9]{0,4})"
_LOCAL = re.compile(rf"{_PORT}\.([a-z0-9-]{{1,63}})\.localhost")
_OWN = {"", "same-origin", "none"}
"""Values of `Sec-Fetch-Site` for a request of the page itself, or of the person."""


class Addresses:
    """Addresses of one gate, and of what leads to it from elsewhere."""

    def __init__(self, elsewhere: str = "") -> None:
        """Know the names on this machine, and those below `DOMAIN` or `DOMAIN:PORT`."""
        self._elsewhere = elsewhere
        domain = re.escape(elsewhere.partition(":")[0])
        self._remote = re.compile(rf"{_PORT}-([a-z0-9-]{{1,57}})\.{domain}") if domain else None

    def place(self, host: str) -> Place | None:
        """Return the port that a host's name means, without a port of its own."""
        found = _LOCAL.fullmatch(host) or (self._remote and self._remote.fullmatch(host))
        return Place(found[2], int(found[1])) if found and int(found[1]) < 1 << 16 else None

    def is_elsewhere(self, host: str) -> bool:
        """Return True for a name below the domain."""
        return self._remote is not None and self._remote.fullmatch(host) is not None

    def url(self, place: Place, gate: int, *, elsewhere: bool = False) -> str:
        """Return the address of a place, the one from elsewhere if there is such a domain."""
        if elsewhere and self._elsewhere:
            return f"https://{place.port}-{place.label}.{self._elsewhere}"
        return f"http://{place.port}.{place.label}.localhost:{gate}"


def from_a_sibling(metadata: Mapping[bytes, bytes]) -> bool:
    """Return True for a request that another's page makes a browser send, unseen by the person.

    Args:
        metadata: the request's headers by name (w3.org/TR/fetch-metadata), which every browser of
            today sends by TLS, and no page can change. Whoever sends none is no browser.
    """
    if metadata.get(b"sec-fetch-site", b"").decode("latin-1") in _OWN or b"origin" in metadata:
        return False  # the origin is looked at by itself
    mode, into = metadata.get(b"sec-fetch-mode"), metadata.get(b"sec-fetch-dest")
    return (mode, into) != (b"navigate", b"document")
