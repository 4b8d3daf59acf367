"""Requests that name a member twice, which two readers may read in two ways; pure.

One reader takes the first of two members of a name, another one the last: what is checked and
counted here would not be what the API does. Claude Code writes each once.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_HIDDEN = re.compile(rb"\\u00[2-7]")
"""A letter that need not be escaped: it could be a part of any name."""
_MOST_PARTS = 1_000_000
"""Members and elements of a request that is looked through, beside all others."""


class _Counted(msgspec.Struct):
    model: str = ""


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_counted = msgspec.json.Decoder(_Counted)


class Ambiguous(ValueError):
    """A request that cannot be read in one way only; the message says why."""


def check_members(body: bytes) -> None:
    """Refuse a request whose own members are not each there once, in time that grows with its size.

    What the API fetches and what a call may cost is said by these; what lies deeper is looked at
    only where something of it counts (`once`).

    Raises:
        Ambiguous: it has a member twice.
    """
    try:
        members = _members.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        # A name that is no UTF-8 stops this reader, and not one that passes over other names.
        if _is_counted(body):
            once(body)
        return  # nothing is read of it here, and so it may cost the most that there is
    # Each member that is there twice is one that is missing here. A request that is not written
    # as tightly as Claude Code's is longer, too: that one is looked at part by part.
    parts = [len(msgspec.json.encode(name)) + len(value) for name, value in members.items()]
    if sum(parts) + 2 * len(parts) + 1 != len(body):
        once(body)


def once(body: bytes) -> Any:
    """Return a request as it is read by whoever reads JSON, each member of each object once.

    Raises:
        Ambiguous: it cannot be read, or not in one way only.
    """
    if sum(map(body.count, (b"{", b"[", b","))) > _MOST_PARTS:
        raise Ambiguous("it has too many parts to be looked through")
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except Ambiguous:
        raise
    except (ValueError, RecursionError):
        raise Ambiguous("it cannot be read") from None


def _is_counted(body: bytes) -> bool:
    """Return True where what a call may cost is read of it all the same."""
    try:
        _counted.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return True


def has_hidden_names(body: bytes) -> bool:
    """Return True where a name could be written so that no search finds it.

    That is by escapes, or in UTF-16 and UTF-32, which some readers of JSON take as well.
    """
    return b"\0" in body or (b"\\u00" in body and bool(_HIDDEN.search(body)))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Ambiguous("it has a member twice")
    return found


def _no_number(_: str) -> None:
    raise Ambiguous("it cannot be read")
