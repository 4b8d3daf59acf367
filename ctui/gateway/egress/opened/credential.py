"""Credentials for other services: where each counts, and requests that have it; pure."""

from __future__ import annotations

from collections.abc import Iterable

import h11
import msgspec

from ctui.gateway.egress.names import Target
from ctui.gateway.http1 import ECHOES, Headers, end_to_end, framing, upgrade
from ctui.host_port import HTTPS

_WEBSOCKET = b"websocket"
_SESSIONS = (b"set-cookie", b"set-cookie2")
_SWITCHES = 101


class Credential(msgspec.Struct, frozen=True):
    """A header with a secret, and the one host that gets it. No way of showing it shows a secret.

    Attributes:
        host: in its one form.
        port: of that host.
        header: name of the header.
        name: of the secret, as the log has it.
        value: of the header; "" where it is not known: then an earlier one of the same counts.
        problem: the reason why it is not known, which no task is told.
    """

    host: str
    port: int
    header: str
    name: str
    value: str = ""
    problem: str = ""

    def __repr__(self) -> str:
        return f"Credential({self.name!r}, {self.target})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        # The inherited one would put the secret into a formatted traceback.
        return [("name", self.name), ("target", str(self.target))]

    @property
    def target(self) -> Target:
        return Target(self.host, self.port)

    @property
    def rule(self) -> tuple[Target, str, str]:
        """The rule of the settings that it is of: the same for as long as that stands there."""
        return self.target, self.header, self.name

    def known_from(self, earlier: Iterable[Credential]) -> Credential:
        """Return it with the value that the same one had, where its own is not known."""
        if self.value:
            return self
        return next((one for one in earlier if one.rule == self.rule), self)


class Forbidden(ValueError):
    """A request that is not passed on with a credential; the message says why."""


def credential_for(credentials: Iterable[Credential], target: Target) -> Credential | None:
    """Return the credential that a host gets at a port, or None."""
    return next((one for one in credentials if one.target == target), None)


def with_credential(request: h11.Request, path: bytes, credential: Credential) -> h11.Request:
    """Return the head of a request as its host is to get it.

    Raises:
        Forbidden: by its answer the task would have the credential.
    """
    if request.method.upper() in ECHOES:
        raise Forbidden("its answer would bring the credential back")
    target = credential.target
    host = str(target).removesuffix(f":{HTTPS}").encode()
    name = credential.header.encode()
    websocket = _websocket(request.headers)
    headers = [
        (b"Host", host),
        *(pair for pair in end_to_end(request.headers, b"host") if not _is(pair[0], name)),
        *framing(request.headers),
        *(websocket or [(b"Connection", b"keep-alive")]),
        (name, credential.value.encode()),
    ]
    return h11.Request(method=request.method, target=path, headers=headers)


def without_sessions(response: h11.Response, *, last: bool) -> h11.Response:
    """Return the head of an answer as the task gets it: no session that the credential opened.

    Args:
        response: of the host.
        last: the connection ends behind it.
    """
    headers = [*end_to_end(response.headers, *_SESSIONS), *framing(response.headers)]
    if last:
        headers.append((b"Connection", b"close"))
    return h11.Response(status_code=response.status_code, headers=headers, reason=response.reason)


def interim_without_sessions(event: h11.InformationalResponse) -> h11.InformationalResponse:
    """Return the same of what comes before an answer.

    Raises:
        h11.RemoteProtocolError: the host changes to another protocol than a websocket.
    """
    headers = end_to_end(event.headers, *_SESSIONS)
    if event.status_code == _SWITCHES:
        if not (websocket := _websocket(event.headers)):
            raise h11.RemoteProtocolError("it changes to another protocol than a websocket")
        headers += websocket
    return h11.InformationalResponse(
        status_code=event.status_code, headers=headers, reason=event.reason
    )


def _websocket(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return what asks for a websocket; no other protocol could be passed on as HTTP is."""
    wanted = upgrade(headers)
    return wanted if wanted and wanted[1][1].lower() == _WEBSOCKET else []


def _is(name: bytes, wanted: bytes) -> bool:
    """Return True for a header that a server may take for the credential's.

    Many put headers into variables, in which `-` and `_` are the same (RFC 3875, 4.1.18).
    """
    return name.lower().replace(b"_", b"-") == wanted.lower().replace(b"_", b"-")
