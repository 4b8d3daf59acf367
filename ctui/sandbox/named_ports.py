"""Words of a repository on the ports of its tasks: a name, and whether a person is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

LAST_PORT = 65535


class NamedPort(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words on one port, or of all from the first to the last one."""

    first: int
    last: int
    label: str = ""
    """Sanitised."""
    hidden: bool = False
    """True where no list shows it; it can be opened all the same."""
    told: bool = False
    """True where the person is told once a task listens there."""
    tls: bool = False
    """True for a server that speaks TLS."""


def named_port(port: int, named: Sequence[NamedPort]) -> NamedPort:
    """Return what is said of a port: the first that fits counts."""
    said = (one for one in named if one.first <= port <= one.last)
    return next(said, NamedPort(first=port, last=port))


def shown_ports(ports: Iterable[int], named: Sequence[NamedPort]) -> list[int]:
    """Return the ports that lists show."""
    return [port for port in ports if not named_port(port, named).hidden]


def port_text(port: int, named: Sequence[NamedPort]) -> str:
    """Return a port with its name, such as `3000 (app)`."""
    label = named_port(port, named).label
    return f"{port} ({label})" if label else str(port)
