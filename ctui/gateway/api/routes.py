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
_CLAUDE = re.compile(
    r"(?:arn:aws[a-z-]{0,16}:bedrock:[a-z0-9-]{1,32}:[0-9]{0,12}"
    r":(?:foundation-model|inference-profile)/)?"
    r"(?:[a-z-]{2,16}\.)?anthropic\.[A-Za-z0-9._:-]{1,256}|claude-[a-z0-9.-]{1,64}"
)
"""Claude's models at Bedrock, which has those of others, and whatever an account runs itself."""
_PLACE = r"(?:/v1)?/(?P<place>projects/[A-Za-z0-9_.:-]{1,128}/locations/[A-Za-z0-9-]{1,64})"
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


def route_of(login: Login, method: str, path: str) -> Route | None:
    """Return what a request asks for, or None for anything else.

    Args:
        login: that it would be sent with.
        method: of the request.
        path: as it was written: nothing in it is decoded before it is compared.
    """
    for allowed, pattern, costs in _BY_KIND[login.kind]:
        if method == allowed and (found := pattern.fullmatch(path)):
            named = found.groupdict()
            route = Route(costs, unquote(named.get("model") or ""))
            is_there = named.get("place", login.place) == login.place
            return route if is_there and _is_model_of(login, route.model) else None
    return None


def refusal(login: Login) -> str:
    """Return the line about a request that is passed on to nobody."""
    where = f" in {login.place}" if login.place else ""
    more = "; ANTHROPIC_MODEL names another one" if login.kind == "bedrock" else ""
    return f"the gateway passes on calls to Claude's models{where}, and nothing else{more}"


def _is_model_of(login: Login, model: str) -> bool:
    if login.kind != "bedrock" or not model:
        return True
    return model in login.models or _CLAUDE.fullmatch(model) is not None


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
