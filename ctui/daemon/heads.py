"""Heads of HTTP/1.1 that are not read: h11 bounds their bytes only, and a line of it costs most."""

from __future__ import annotations

import re

import h11

_MOST_LINES = 256
"""Of a head: each is taken apart, while everybody waits."""
_END = re.compile(rb"\n\r?\n")


def is_too_long(connection: h11.Connection) -> bool:
    """Return True where a head that the other side says next has too many lines."""
    if connection.their_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return False
    said = connection.trailing_data[0]
    end = _END.search(said)
    return said.count(b"\n", 0, end.end() if end else len(said)) > _MOST_LINES
