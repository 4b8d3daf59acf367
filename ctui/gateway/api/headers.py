"""Headers on their way: the task's credential goes, the person's comes, the rest stays; pure."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence

from ctui.gateway.model import Login

Headers = Sequence[tuple[bytes, bytes]]

_OAUTH_BETA = "oauth-2025-04-20"
"""Beta that the API wants to see with the token of a subscription (docs.claude.com, OAuth)."""

_CREDENTIALS = {
    b"authorization",
    b"x-api-key",
    b"api-key",
    b"x-goog-api-key",
    b"x-goog-user-project",
    b"x-amz-date",
    b"x-amz-security-token",
    b"x-amz-content-sha256",
    b"cookie",
}
_OF_THE_CONNECTION = {
    b"connection",
    b"content-length",
    b"expect",
    b"host",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_WHO_ASKS = {b"forwarded", b"via", b"x-real-ip"}
_NOT_BACK = {b"connection", b"keep-alive", b"set-cookie", b"transfer-encoding", b"upgrade"}


class BadRequest(ValueError):
    """Headers that mean one thing here and may mean another there."""


def check_framing(headers: Headers) -> None:
    """Refuse a request whose length is said twice.

    Raises:
        BadRequest: with the reason.
    """
    names = [name for name, _ in headers]
    if b"transfer-encoding" in names and b"content-length" in names:
        raise BadRequest("a request has a content-length or a transfer-encoding, not both")


def brings(headers: Headers, placeholder: str) -> bool:
    """Return False if a request brings another credential than the run's placeholder."""
    expected = placeholder.encode()
    for name, value in headers:
        if name == b"authorization":
            scheme, _, brought = value.partition(b" ")
            if scheme.lower() != b"bearer":
                return False
        elif name == b"x-api-key":
            brought = value
        else:
            continue
        if not hmac.compare_digest(brought.strip(), expected):
            return False
    return True


def onward(headers: Headers, login: Login) -> list[tuple[bytes, bytes]]:
    """Return the headers with which a request is sent on.

    The credential stands where the task's own did, so that the order is a direct call's. The
    answer is wanted unpacked: what it cost is read from it.
    """
    named = _named_by_connection(headers)
    own = [(name.lower().encode(), value.encode()) for name, value in login.headers]
    said = {name for name, _ in own}
    gone = _OF_THE_CONNECTION | _WHO_ASKS | named | said
    new: list[tuple[bytes, bytes]] = []
    credential = _credential(login)
    if credential and credential[0] in said:
        credential = None  # the login's own headers say it otherwise
    betas_seen = False
    for name, value in headers:
        if name in _CREDENTIALS:
            if name in {b"authorization", b"x-api-key"} and credential:
                new.append(credential)
                credential = None
        elif name in gone or name.startswith((b"x-forwarded-", b"x-ctui-")):
            continue
        elif name == b"accept-encoding":
            new.append((name, b"identity"))
        elif name == b"anthropic-beta":
            betas_seen = True
            new += _betas(value, login)
        else:
            new.append((name, value))
    if credential:
        new.append(credential)
    if not betas_seen:
        new += _betas(b"", login)
    return new + own


def back(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers with which an answer is passed on: all but those of the connection."""
    gone = _NOT_BACK | _named_by_connection(headers)
    return [(name, value) for name, value in headers if name.lower() not in gone]


def value_of(headers: Headers, wanted: bytes) -> str:
    """Return the first value of a header, or ""."""
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


def _credential(login: Login) -> tuple[bytes, bytes] | None:
    if not login.secret or login.region:
        return None
    if login.kind == "api-key":
        return b"x-api-key", login.secret.encode()
    return b"authorization", b"Bearer " + login.secret.encode()


def _betas(value: bytes, login: Login) -> Iterable[tuple[bytes, bytes]]:
    """Yield the header with what a subscription's token needs, or without it; if it has any."""
    wanted = [part.strip() for part in value.decode("latin-1").split(",") if part.strip()]
    kept = [part for part in wanted if not part.startswith("oauth-")]
    if login.kind == "oauth":
        kept = wanted if _OAUTH_BETA in wanted else [*kept, _OAUTH_BETA]
    if kept == wanted and value:
        yield b"anthropic-beta", value
    elif kept:
        yield b"anthropic-beta", ",".join(kept).encode("latin-1")


def _named_by_connection(headers: Headers) -> set[bytes]:
    """Return the headers that the connection's own say are only for it."""
    named: set[bytes] = set()
    for name, value in headers:
        if name.lower() == b"connection":
            named |= {part.strip().lower() for part in value.split(b",")}
    # A task must not have a header dropped by naming it so.
    return named - {b"anthropic-version", b"anthropic-beta", b"content-type", b"accept"}
