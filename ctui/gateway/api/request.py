"""A request of a task, read and checked as far as it can be without its login."""

from __future__ import annotations

from typing import NamedTuple

from starlette.types import Message, Receive, Scope

from ctui.gateway.api.answers import Answer
from ctui.gateway.api.headers import BadRequest, Headers, brings, check_framing, value_of
from ctui.gateway.api.place import Place
from ctui.gateway.api.routes import Route

MOST_BODY = 40 << 20
"""Bytes of a request; the API itself takes 32 MB."""


class Gone(Exception):
    """The client went away before all of its request was there."""


class Asked(NamedTuple):
    """A request that may be sent on."""

    method: str
    path: str
    query: str
    headers: Headers
    route: Route
    body: bytes


def check_head(place: Place, scope: Scope) -> None:
    """Refuse a request by its headers.

    Raises:
        Answer: with the reason.
    """
    headers: Headers = scope["headers"]
    try:
        check_framing(headers)
    except BadRequest as error:
        place.anomaly("framing", str(error))
        raise Answer(400, str(error)) from error
    if place.access.placeholder and not brings(headers, place.access.placeholder):
        place.anomaly("placeholder", "a request brought a credential that is not the run's")
        raise Answer(400, "this credential is not the one of this run")
    length = value_of(headers, b"content-length")
    if length.isdigit() and int(length[:12]) > MOST_BODY:
        raise _too_large()


class Body:
    """Body of a request, which counts as held until `let_go`."""

    def __init__(self, place: Place, receive: Receive) -> None:
        self._place = place
        self._receive = receive
        self._size = 0

    async def read(self) -> bytes:
        """Return all of it.

        Raises:
            Answer: it is too large, alone or with what else is held.
            Gone: the client went away.
        """
        parts: list[bytes] = []
        more = True
        while more:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part, more = message.get("body", b""), message.get("more_body", False)
            if self._size + len(part) > MOST_BODY:
                raise _too_large()
            self._place.held.add(len(part))
            self._size += len(part)
            parts.append(part)
        return b"".join(parts)

    def let_go(self) -> None:
        self._place.held.remove(self._size)
        self._size = 0


def _too_large() -> Answer:
    return Answer(413, f"a request has at most {MOST_BODY >> 20} MB")
