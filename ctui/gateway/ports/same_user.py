"""User at the other end of a connection on this machine, as the kernel lists it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_ROOT = 0
_CLOSED = "0"
"""In the place of an inode, where no process has the socket any more."""


def is_same_user(connection: socket.socket) -> bool:
    """Return True if this user or root has the other end of an IPv4 connection.

    A port of this machine is open to all of its users; one that leads into a task is not meant for
    them. What was closed already is nobody's: the kernel lists it as root's, so that whoever says
    something and closes at once could else say it as root.
    """
    if sys.platform != "linux":
        return True
    try:
        wanted = _place(connection.getpeername()), _place(connection.getsockname())
        with _TABLE.open(encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if (fields[1], fields[2]) == wanted:
                    return fields[9] != _CLOSED and int(fields[7]) in {_ROOT, os.getuid()}
    except (OSError, ValueError, IndexError):
        return False
    return False  # it has gone already


def _place(address: tuple[str, int]) -> str:
    """Return an address as the table writes it: a word of this machine's byte order, and a port."""
    word = int.from_bytes(socket.inet_aton(address[0]), sys.byteorder)
    return f"{word:08X}:{address[1]:04X}"
