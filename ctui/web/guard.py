"""Refusal of requests before anybody looks at them: foreign names and pages, too large a body.

The check of Host keeps a page of the web from reaching this server by a name of its own that leads
to this machine (DNS rebinding); the check of Origin keeps other pages from sending anything.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctui.web.failure import failed

log = logging.getLogger(__name__)

MOST_BYTES = 16 << 20
"""Of a request's body: the images and documents of a message have 11 MB, and are in base64."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")
_SAFE = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]


class Guard:
    """ASGI: the outermost layer. Whatever goes wrong inside becomes one line of JSON."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        """Make it.

        Args:
            app: what is guarded.
            names: by which clients reach this server, beside the addresses that it listens on.
        """
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive)
        reply = _Reply(send)
        refusal = self._foreign(scope) or body.refusal
        try:
            await (refusal or self._app)(scope, body.receive, reply.send)
        except ClientDisconnect:
            return  # there is nobody to tell
        except Exception as error:  # noqa: BLE001 - whoever called gets an answer in any case
            # A traceback could have a secret in it.
            log.error("%s %r: %s", scope.get("method"), scope["path"], type(error).__name__)  # noqa: TRY400
            problem = failed(500, f"ctui made a mistake: {type(error).__name__}")
            await reply.fail_with(problem, scope, receive)

    def _foreign(self, scope: Scope) -> ASGIApp | None:
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not self._served(hosts[0], scope):
            return failed(
                421,
                "this server does not go by that name",
                hint="use the address that `ctui serve` printed, or start it with --name",
            )
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if any(not _same_place(origin, hosts[0]) for origin in origins):
            return failed(403, "requests of other web pages are refused")
        return None

    def _served(self, host: str, scope: Scope) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match.group(1).strip("[]").lower()
        if name in self._names:
            return True
        # An address is no name that somebody else could let lead here.
        local = (scope.get("server") or ("", None))[0]
        with suppress(ValueError):
            return _address(name) == _address(local)
        return False


class _Body:
    """A request's body, counted while it comes."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._size = 0
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        self.refusal = _too_large() if length.isdigit() and int(length) > MOST_BYTES else None

    async def receive(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > MOST_BYTES:
            raise HTTPException(413)
        return message


class _Reply:
    """A response with the headers that all have; knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            message = {**message, "headers": [*message.get("headers", ()), *_SAFE]}
        await self._send(message)

    async def fail_with(self, response: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Send the response, unless one has begun: the client sees that that is not complete."""
        if not self._begun and scope["type"] == "http":
            await response(scope, receive, self.send)


def _too_large() -> ASGIApp:
    return failed(
        413,
        f"the request is larger than {MOST_BYTES >> 20} MB",
        hint="put long texts into a file of the repository",
    )


def _same_place(origin: str, host: str) -> bool:
    with suppress(ValueError):
        parts = urlsplit(origin)
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()
    return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = ipaddress.ip_address(text)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
