"""Messages of ssh's agents as bytes (draft-ietf-sshm-ssh-agent, RFC 4251 5); pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

REQUEST_IDENTITIES, IDENTITIES = 11, 12
SIGN, SIGNATURE = 13, 14
EXTENSION, FAILURE, SUCCESS = 27, 5, 6
LONGEST = 1 << 18
"""Bytes of a message."""

_USERAUTH_REQUEST = 50
_SERVICE = b"ssh-connection"
_BIND = b"session-bind@openssh.com"
_BOUND_METHOD = b"publickey-hostbound-v00@openssh.com"
_METHODS = {b"publickey", _BOUND_METHOD}
_NO_SIGN_IN = "a program wanted a signature of something else than the start of a session"


class Malformed(ValueError):
    """Bytes that are not what they should be."""


class Bind(NamedTuple):
    """A client's word, signed by the host, for which session its connection is (PROTOCOL.agent)."""

    host_key: bytes
    session: bytes
    signature: bytes
    forwarding: bool


class SignIn(NamedTuple):
    """The start of a session, which a client wants signed (RFC 4252, 7)."""

    session: bytes
    user: str
    algorithm: str
    key: bytes
    host_key: bytes | None
    """The host's own key, where the method names it."""


class SignRequest(NamedTuple):
    """A request to sign something by a key."""

    key: bytes
    data: bytes
    flags: int


class Reader:
    """Bytes that are read from their start."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        return self._take(1)[0]

    def number(self) -> int:
        return int(struct.unpack(">I", self._take(4))[0])

    def string(self) -> bytes:
        return self._take(self.number())

    def end(self) -> None:
        """Raise Malformed where something is left."""
        if self._at != len(self._data):
            raise Malformed("there is more than there should be")

    def _take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise Malformed("it breaks off")
        self._at += size
        return found


def string(data: bytes) -> bytes:
    """Return bytes as a string on the wire."""
    return struct.pack(">I", len(data)) + data


def identities(keys: list[tuple[bytes, str]]) -> bytes:
    """Return the answer that lists keys, with a comment each."""
    listed = b"".join(string(blob) + string(comment.encode()) for blob, comment in keys)
    return struct.pack(">BI", IDENTITIES, len(keys)) + listed


def bind_of(body: bytes) -> Bind | None:
    """Return what an extension binds a connection to; None for another extension.

    Raises:
        Malformed: it is none.
    """
    reader = Reader(body)
    if reader.string() != _BIND:
        return None
    bind = Bind(reader.string(), reader.string(), reader.string(), bool(reader.byte()))
    reader.end()
    return bind


def sign_request(body: bytes) -> SignRequest:
    """Return what is to be signed.

    Raises:
        Malformed: it is no such request.
    """
    reader = Reader(body)
    request = SignRequest(reader.string(), reader.string(), reader.number())
    reader.end()
    return request


def sign_in(data: bytes) -> SignIn:
    """Return the start of a session that some bytes are.

    Raises:
        Malformed: they are anything else, such as a commit.
    """
    reader = Reader(data)
    try:
        session, kind = reader.string(), reader.byte()
        user, service, method = reader.string(), reader.string(), reader.string()
        by_key, algorithm, key = reader.byte(), reader.string(), reader.string()
        host_key = reader.string() if method == _BOUND_METHOD else None
        reader.end()
        found = SignIn(session, user.decode(), algorithm.decode("ascii"), key, host_key)
    except (Malformed, UnicodeDecodeError):
        raise Malformed(_NO_SIGN_IN) from None
    if (kind, service, by_key) != (_USERAUTH_REQUEST, _SERVICE, 1) or method not in _METHODS:
        raise Malformed(_NO_SIGN_IN)
    return found
