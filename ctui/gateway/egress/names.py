"""Names of hosts as a task may write them, and the one form in which they are compared."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from ctui.host_port import with_port

_LONGEST = 253
"""Bytes of a name (RFC 1035, 3.1)."""
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes the whole name an address to some resolver (url.spec.whatwg.org)."""
_PORT = re.compile(r"[0-9]{1,5}")


class BadName(ValueError):
    """Text that names no host; the message says why, in a few words."""


class Target(NamedTuple):
    """A host in its one form, and a port."""

    host: str
    """A name in lower case and ASCII, or an address without brackets."""
    port: int

    def __str__(self) -> str:
        return with_port(self.host, self.port)


def is_address(host: str) -> bool:
    """Return True for a host, in its one form, that is an IP address."""
    return ":" in host or host.rpartition(".")[2].isdigit()


def host_of(text: str) -> str:
    """Return a host's one form: lower case, without a trailing dot, in ASCII (IDNA 2008, UTS 46).

    An address is one only in its usual form: what other forms mean depends on who reads them
    (`127.1`, `0x7f000001`, `010.0.0.1`).

    Raises:
        BadName: it is none.
    """
    if text.startswith("[") or ":" in text:
        return _address_6(text)
    name = (text if text.isascii() else _in_ascii(text)).lower().removesuffix(".")
    if not name or len(name) > _LONGEST:
        raise BadName("this is no name of a host")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _address_4(name)
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise BadName("this is no name of a host")
        if label.startswith("xn--"):
            _check_punycode(label)
    return name


def target_of(text: str, port: int | None = None) -> Target:
    """Return what `HOST:PORT` names; `port` is used where none is written, if there is one.

    Raises:
        BadName: it names no host, or no port.
    """
    host, colon, digits = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
        host, digits = text, ""
    if not digits and port is not None and not text.endswith(":"):
        return Target(host_of(host), port)
    if not _PORT.fullmatch(digits) or not 0 < int(digits) < 1 << 16:
        raise BadName("there is no port")
    return Target(host_of(host), int(digits))


def _address_6(text: str) -> str:
    literal = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        if "%" in literal:
            raise BadName("an address with a zone leads to a network of this machine")
        return str(ipaddress.IPv6Address(literal))
    except ipaddress.AddressValueError:
        raise BadName("this is no address") from None


def _address_4(name: str) -> str:
    try:
        return str(ipaddress.IPv4Address(name))
    except ipaddress.AddressValueError:
        raise BadName("this is no address in its usual form") from None


def _in_ascii(text: str) -> str:
    import idna

    try:
        return idna.encode(text.removesuffix("."), uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise BadName("this is no name of a host") from None


def _check_punycode(label: str) -> None:
    import idna

    try:
        idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        raise BadName("a part of this name is no punycode") from None
