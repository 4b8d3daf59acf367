"""Heads of HTTP/1.1 that are not read: h11 bounds their bytes only, and a line of it costs most.

The same is so for what follows a body in chunks. It is to be looked at where h11 begins with it,
which nothing outside of h11 knows: so a reader of chunks takes the place of its own.
"""

from __future__ import annotations

import re

import h11
from h11._readers import READERS, ChunkedReader
from h11._receivebuffer import ReceiveBuffer

_MOST_LINES = 256
"""Of a head: each is taken apart, while everybody waits."""
_END = re.compile(rb"\A\r?\n|\n\r?\n")


def is_too_long(connection: h11.Connection) -> bool:
    """Return True where a head that the other side says next has too many lines."""
    if connection.their_state not in {h11.IDLE, h11.SEND_RESPONSE}:
        return False
    return _has_many_lines(connection.trailing_data[0])


def _has_many_lines(said: bytes) -> bool:
    end = _END.search(said)
    return said.count(b"\n", 0, end.end() if end else len(said)) > _MOST_LINES


class _Chunks(ChunkedReader):
    """Reader of a body in chunks, and of what follows it if that has not too many lines."""

    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        if self._reading_trailer and _has_many_lines(bytes(buf)):
            raise h11.LocalProtocolError("too many headers behind a body")
        return super().__call__(buf)


READERS[h11.SEND_BODY]["chunked"] = _Chunks  # type: ignore[index]
