"""Listening ports of this task, as the kernel lists them; pure but for the reading."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Container, Iterable
from pathlib import Path
from typing import NamedTuple

_LISTENING = "0A"
_LONGEST = 256
"""Ports that are told of; a task with more has them for another reason."""
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here


class Port(NamedTuple):
    """A port, and an address of this task at which it answers."""

    port: int
    address: str


def listening(folder: Path, ours: Container[int]) -> list[Port]:
    """Return what listens, one address a port, without the sockets whose inodes are ours."""
    found: dict[int, str] = {}
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for port, address in ports((folder / name).read_text("ascii").splitlines()[1:], ours):
                found.setdefault(port, address)
    return [Port(port, found[port]) for port in sorted(found)][:_LONGEST]


def ports(lines: Iterable[str], ours: Container[int]) -> list[Port]:
    """Return what listens by the lines of a table of the kernel (proc(5), /proc/net/tcp)."""
    found = []
    for line in lines:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTENING and int(fields[9]) not in ours:
            address, _, port = fields[1].partition(":")
            found.append(Port(int(port, 16), _address(address)))
    return found


def _address(text: str) -> str:
    """Return the address that the kernel writes as words of this machine's byte order."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = str(ipaddress.ip_address(b"".join(words)))
    return _WILDCARDS.get(address, address)
