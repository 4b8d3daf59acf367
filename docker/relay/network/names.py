"""Questions for addresses, and answers that lead to loopback; pure.

A name gets an address of its own, so that whoever connects there has said which name was meant.
Nothing is looked up: a name is decided about where the connection is, and not before.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

_HEADER = struct.Struct(">6H")
_LABEL = re.compile(rb"[A-Za-z0-9_-]{1,63}")
_ADDRESS, _ADDRESS_6 = 1, 28
_INTERNET = 1
_SECONDS = 30
"""For which an answer may be kept."""
_NO_SUCH_NAME, _CANNOT = 3, 4
_LOOPBACK = {_ADDRESS: b"\x7f\0\0\1", _ADDRESS_6: b"\0" * 15 + b"\1"}
_FIRST = 0x7F40_0001
"""127.64.0.1; what others put on loopback is below."""
_COUNT = 1 << 22


class Question(NamedTuple):
    """One question of a message."""

    message: bytes
    """Up to the end of the question."""
    name: str
    """In lower case, "" where it is none that a host has."""
    kind: int


def question(message: bytes) -> Question | None:
    """Return the one question of a message (RFC 1035, 4.1), or None if it has another shape."""
    if len(message) < _HEADER.size:
        return None
    _, flags, questions, answers, _, _ = _HEADER.unpack_from(message)
    if flags & 0xF800 or questions != 1 or answers:
        return None
    at, labels = _HEADER.size, []
    while at < len(message) and message[at]:
        size = message[at]
        if size > 63:
            return None
        labels.append(message[at + 1 : at + 1 + size])
        at += 1 + size
    if at + 5 > len(message):
        return None
    kind, network = struct.unpack_from(">2H", message, at + 1)
    if network != _INTERNET:
        return None
    good = all(_LABEL.fullmatch(label) for label in labels) and len(message[12:at]) < 254
    name = b".".join(labels).decode("ascii").lower() if labels and good else ""
    return Question(message[: at + 5], name, kind)


def answer(asked: Question, address: bytes | None) -> bytes:
    """Return the answer: this address, where one is asked for, or none of that kind."""
    if asked.name == "localhost" or asked.name.endswith(".localhost"):
        address = _LOOPBACK.get(asked.kind)
    elif not asked.name or asked.name.endswith(".arpa"):
        return _reply(asked, _NO_SUCH_NAME, b"")
    elif asked.kind != _ADDRESS:
        address = None
    if address is None:
        return _reply(asked, 0, b"")
    record = struct.pack(">3HIH", 0xC00C, asked.kind, _INTERNET, _SECONDS, len(address)) + address
    return _reply(asked, 0, record)


def wants_address(asked: Question) -> bool:
    """Return True if the answer leads to a name that a connection can be made for."""
    local = asked.name == "localhost" or asked.name.endswith((".localhost", ".arpa"))
    return asked.kind == _ADDRESS and bool(asked.name) and not local


def address_of(number: int) -> str:
    """Return the loopback address of the name with this number; numbers begin anew at the end."""
    value = _FIRST + number % (_COUNT - 2)
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def _reply(asked: Question, code: int, record: bytes) -> bytes:
    ident, flags = struct.unpack_from(">2H", asked.message)
    # A response, recursion as it was desired, and recursion available.
    said = 0x8080 | flags & 0x0100 | code
    head = _HEADER.pack(ident, said, 1, 1 if record else 0, 0, 0)
    return head + asked.message[_HEADER.size :] + record
