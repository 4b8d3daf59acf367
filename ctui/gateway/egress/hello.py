"""The name in a TLS ClientHello: which host a client wants inside of a connection; pure."""

from __future__ import annotations

import struct

from ctui.gateway.egress.names import BadName, host_of

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
"""Extension (RFC 6066, 3), and the only type of name in it."""
LONGEST = 1 << 14
"""Bytes of a ClientHello; those with keys for post-quantum exchanges have about 2,000."""


class Unreadable(ValueError):
    """It begins as TLS does and is none, or is too long."""


class Incomplete(Exception):
    """There is more to come."""


class Hello:
    """A ClientHello that is read as it comes: each byte of it is looked at once, however it is cut.

    A task chooses how it is cut, and one gateway reads those of all tasks.
    """

    def __init__(self) -> None:
        self._at = 0
        """Begin of the first record that is not whole yet."""
        self._message = bytearray()

    def name(self, data: bytes) -> str | None:
        """Return the name that a connection asks for, None where it names none.

        Bytes that are not TLS name none.

        Args:
            data: the first bytes of the connection; those of the calls before, and more.

        Raises:
            Incomplete: more bytes are needed.
            Unreadable: nothing can be said about them.
        """
        if not data:
            raise Incomplete
        if data[0] != _HANDSHAKE or (len(data) > 1 and data[1] != 3):
            return None
        hello = self._whole(data)
        try:
            return _name(_extensions(hello))
        except (IndexError, struct.error, UnicodeDecodeError, BadName) as error:
            raise Unreadable("a ClientHello that cannot be read") from error

    def _whole(self, data: bytes) -> bytes:
        """Return the first message, which can lie in several records (RFC 8446, 5.1)."""
        message = self._message
        while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4]):
            at = self._at
            if len(data) < at + 5:
                raise Incomplete
            kind, size = data[at], int.from_bytes(data[at + 3 : at + 5])
            if kind != _HANDSHAKE or not size:
                raise Unreadable("a ClientHello that breaks off")
            begin = bytes(message[:4]) + data[at + 5 : at + 5 + size][:4]
            if begin and (begin[0] != _CLIENT_HELLO or int.from_bytes(begin[1:4]) > LONGEST):
                raise Unreadable("no ClientHello")
            if len(data) < at + 5 + size:
                raise Incomplete
            message += data[at + 5 : at + 5 + size]
            self._at = at + 5 + size
        return bytes(message[4 : 4 + int.from_bytes(message[1:4])])


class Foreign(Exception):
    """Inside of a connection another host is asked for than the one that it was made for."""


class NameCheck:
    """Check that the name which a TLS client says first is the one that was decided about."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._hello = Hello()

    def __call__(self, held: bytes) -> bool:
        """Return True where the first bytes of a connection may go on, False for more of them.

        Raises:
            Foreign: they ask for another name.
        """
        try:
            name = self._hello.name(held)
        except Incomplete:
            return False
        except Unreadable as error:
            raise Foreign(str(error)) from None
        if name not in {None, self._host}:
            raise Foreign(f"SNI: {name}")
        return True


def _extensions(hello: bytes) -> bytes:
    at = 2 + 32  # version and random
    at += 1 + hello[at]  # session
    at += 2 + _short(hello, at)  # cipher suites
    at += 1 + hello[at]  # compression methods
    if at == len(hello):
        return b""
    if at + 2 + _short(hello, at) != len(hello):
        raise IndexError
    return hello[at + 2 :]


def _name(extensions: bytes) -> str | None:
    at, found = 0, None
    while at < len(extensions):
        kind, size = _short(extensions, at), _short(extensions, at + 2)
        if kind == _SERVER_NAME:
            if found is not None:
                raise IndexError
            found = _host(extensions[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def _host(extension: bytes) -> str:
    if (
        _short(extension, 0) != len(extension) - 2
        or extension[2] != 0
        or _short(extension, 3) != len(extension) - 5
    ):
        raise IndexError
    return host_of(extension[5:].decode("ascii"))


def _short(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])
