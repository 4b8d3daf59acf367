"""Requests that a task may make, by the kind of its login; pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from ctui.gateway.model import Login, LoginKind

_ANTHROPIC = "https://api.anthropic.com"

_ID = r"(?P<model>(?:(?!\.\.)[A-Za-z0-9._:~%-]){1,1024})"
"""One part of a path: an ARN has its slashes and colons encoded."""

_MESSAGES = (
    ("POST", re.compile(r"/v1/messages"), True),
    ("POST", re.compile(r"/v1/messages/count_tokens"), False),
    ("GET", re.compile(r"/v1/models"), False),
)
_BEDROCK = (
    ("POST", re.compile(rf"/model/{_ID}/invoke(-with-response-stream)?"), True),
    ("POST", re.compile(rf"/model/{_ID}/count-tokens"), False),
    ("GET", re.compile(rf"/inference-profiles(/{_ID})?"), False),
)
_PLACE = r"(?:/v1)?/projects/[A-Za-z0-9_.:-]{1,128}/locations/[A-Za-z0-9-]{1,64}"
_VERTEX = (
    (
        "POST",
        re.compile(rf"{_PLACE}/publishers/anthropic/models/count-tokens:rawPredict"),
        False,
    ),
    (
        "POST",
        re.compile(
            rf"{_PLACE}/publishers/anthropic/models/"
            r"(?P<model>[A-Za-z0-9._@-]{1,256}):(?:streamRawPredict|rawPredict)"
        ),
        True,
    ),
)
_BY_KIND: dict[LoginKind, tuple[tuple[str, re.Pattern[str], bool], ...]] = {
    "api-key": _MESSAGES,
    "bearer": _MESSAGES,
    "oauth": _MESSAGES,
    "bedrock": _BEDROCK,
    "vertex": _VERTEX,
}


class Route(NamedTuple):
    """A request that may be sent on.

    Attributes:
        costs: True for a call that the model answers.
        model: that the path names, or "".
    """

    costs: bool
    model: str = ""


class _Asked(msgspec.Struct):
    model: str = ""


_asked = msgspec.json.Decoder(_Asked)


def route_of(kind: LoginKind, method: str, path: str) -> Route | None:
    """Return what a request asks for, or None for anything else.

    Args:
        kind: of the login that it would be sent with.
        method: of the request.
        path: as it was written: nothing in it is decoded before it is compared.
    """
    for allowed, pattern, costs in _BY_KIND[kind]:
        if method == allowed and (found := pattern.fullmatch(path)):
            return Route(costs, unquote(found.groupdict().get("model") or ""))
    return None


def model_in(body: bytes) -> str:
    """Return the model that a request's body names; "" where it names none."""
    try:
        return _asked.decode(body).model[:256]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""


def address(login: Login, path: str, query: str) -> str:
    """Return the URL of a request of this path, at the API that the login is for."""
    base = (login.base_url or _ANTHROPIC).rstrip("/")
    if login.kind == "bedrock" and path.startswith("/inference-profiles"):
        # AWS has what lists models at another host than what runs them.
        base = base.replace("://bedrock-runtime.", "://bedrock.", 1)
    if login.kind == "vertex" and base.endswith("/v1"):
        path = path.removeprefix("/v1")
    return f"{base}{path}?{query}" if query else f"{base}{path}"


def host_and_port(url: str) -> tuple[str, int]:
    """Return where a URL leads."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
