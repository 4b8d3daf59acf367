"""Calls of the kernel that Python lacks: a hidden process, and signals with their sender."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Iterable
from pathlib import Path

_PR_SET_DUMPABLE = 4
_SIGNALFD_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK
_RECORD = struct.Struct("=IiiI112x")
"""signalfd(2): the number, the errno, the code and the sender's process id."""
_SI_USER = 0
_SI_KERNEL = 0x80

_libc = ctypes.CDLL(None, use_errno=True)


def hide() -> None:
    """Close /proc/PID/{fd,mem,environ,root,...} of this process to every other one of its uid."""
    if _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the process cannot be hidden")


def is_hidden(pid: int) -> bool:
    """Return True where the kernel gives a process's secrets to root only."""
    try:
        return Path(f"/proc/{pid}/fd").stat().st_uid == 0
    except FileNotFoundError:
        return True


class Signals:
    """Signals that are taken from a descriptor instead of by handlers.

    As the first process of a container, only those count that come from outside of it: a process
    inside has an id there, and cannot claim both a plain `kill` and the id 0 (rt_sigqueueinfo(2)).
    """

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        numbers = set(numbers)
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        mask = sum(1 << (number - 1) for number in numbers)
        self.fd: int = _libc.signalfd(-1, struct.pack("=Q120x", mask), _SIGNALFD_FLAGS)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "signals cannot be read")
        self._only_outside = os.getpid() == 1

    def take(self) -> list[int]:
        """Return the numbers of those that came and count."""
        try:
            data = os.read(self.fd, _RECORD.size * 64)
        except BlockingIOError:
            return []
        return [
            number
            for number, _, code, sender in _RECORD.iter_unpack(data)
            if number == signal.SIGCHLD
            or not self._only_outside
            or (code in {_SI_USER, _SI_KERNEL} and sender == 0)
        ]
