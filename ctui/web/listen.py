"""Socket of a server, on which nobody else reads along."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.errors import InvalidInput, Refused, Unavailable

_BACKLOG = 128


class Listening(NamedTuple):
    """An open socket and what clients have to know of it."""

    socket: socket.socket
    url: str
    names: frozenset[str]
    """By which clients reach it, beside its addresses."""
    tls: ssl.SSLContext | None


def listen(
    host: str,
    port: int,
    *,
    cert: Path | None = None,
    key: Path | None = None,
    insecure: bool = False,
    names: tuple[str, ...] = (),
) -> Listening:
    """Open the socket.

    Args:
        host: a name or address of this machine.
        port: 0 takes a free one.
        cert: PEM file of the certificate, with its chain.
        key: PEM file of its key.
        insecure: listen without TLS where others can read along.
        names: further ones that clients use.

    Raises:
        Refused: others could read along, and nobody said that they may.
        InvalidInput: there is no such address, or the certificate cannot be used.
        Unavailable: the address is taken.
    """
    tls = _tls(cert, key)
    family, address = _resolve(host, port)
    place = ipaddress.ip_address(address[0].partition("%")[0])
    if not (place.is_loopback or tls or insecure):
        raise Refused(
            f"{host} is reached from other machines, and without TLS they read the token",
            hint="give --tls-cert and --tls-key, or --insecure-listen behind a proxy of yours",
        )
    known = {"localhost", "127.0.0.1", "::1", *names}
    if not place.is_loopback:
        known.add(socket.gethostname())
    if not place.is_unspecified:
        known.add(host)
    listener = _open(family, address)
    shown = f"[{address[0]}]" if family == socket.AF_INET6 else address[0]
    found = listener.getsockname()[1]
    url = f"{'https' if tls else 'http'}://{shown}:{found}"
    return Listening(listener, url, frozenset(known), tls)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InvalidInput(
            f"there is no address {host!r}", hint="give one of this machine, such as 127.0.0.1"
        ) from error
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


def _open(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    # With the protocol left open, asyncio would not turn Nagle's algorithm off: 40 ms a response.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"{address[0]} port {address[1]} cannot be listened on: {error.strerror}",
            hint="choose another with --port",
        ) from error
    return listener


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise InvalidInput("TLS needs both files", hint="give --tls-cert and --tls-key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password given, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(cert, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        with suppress(OSError):
            cert.read_bytes()
            key.read_bytes()
            raise InvalidInput(
                f"{cert} and {key} are no certificate and its key",
                hint="give PEM files; the key without a password",
            ) from error
        raise InvalidInput(
            f"{cert} or {key} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    return context
