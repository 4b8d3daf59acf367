"""Messages of the driver's socket: one JSON object a line, with types on both sides.

A connection opens with the driver's `Hello`. Then the client sends `Request`s and gets one `Reply`
for each, in any order. A `follow` request turns its connection into a stream of `Frame` lines that
ends when the connection closes; nothing else is sent on it after that.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

import msgspec

from ctui.errors import CtuiError, error_kinds

PROTOCOL = 1
"""Version of the messages; it grows when an older side would misread one."""

MAX_LINE = 64 << 20
"""Largest line of the socket in bytes: the largest allowed message, escaped twice."""


class Hello(msgspec.Struct, frozen=True):
    """First line that the driver sends."""

    version: str
    protocol: int
    pid: int


class Request(msgspec.Struct, frozen=True):
    """One call. `params` is the method's own struct, still encoded."""

    id: int
    method: str
    params: msgspec.Raw = msgspec.Raw(b"{}")


class Failure(msgspec.Struct, frozen=True):
    """A `CtuiError`, encoded for the socket."""

    kind: str
    message: str
    hint: str = ""


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer to the request of the same id: a result or a failure."""

    id: int
    result: msgspec.Raw = msgspec.Raw(b"null")
    failure: Failure | None = None


class Frame:
    """First byte of each line that is sent about a followed task."""

    ARCHIVED = b"A"
    """Journal line that is in the archive as well."""
    LIVE = b"L"
    """Journal line of a block that is still open; the archive never has it."""
    SKIP = b"S"
    """`S<offset>`: the client was too slow and must read the archive up to that byte itself."""


def failure_of(error: CtuiError) -> Failure:
    return Failure(kind=type(error).__name__, message=error.message, hint=error.hint)


def error_of(failure: Failure) -> CtuiError:
    kind = error_kinds().get(failure.kind, CtuiError)
    return kind(failure.message, hint=failure.hint)


def encode(message: msgspec.Struct) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def same_user(connection: socket.socket) -> bool:
    """Return True if the process at the other end of a unix socket runs as this user.

    The socket's folder is private already; this also holds when somebody widened it.
    """
    if sys.platform != "linux":
        return True
    import os

    size = struct.calcsize("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return bool(struct.unpack("3i", raw)[1] == os.getuid())


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line without its newline, or b"" at the end of the stream.

    Raises:
        CtuiError: the line is longer than `MAX_LINE`, so the stream cannot be trusted any more.
    """
    try:
        line = await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""  # whoever was killed in mid-line said nothing
    except asyncio.LimitOverrunError as error:
        raise CtuiError("a message on the driver's socket is too long") from error
    return line[:-1]
