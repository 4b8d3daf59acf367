"""Holder of a lock file."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path


def holder(path: Path) -> int | None:
    """Return the process that holds a `flock` on this file, where the kernel says it."""
    with suppress(OSError, ValueError, IndexError):
        inode = path.stat().st_ino
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            # 1: FLOCK  ADVISORY  WRITE 4242 08:01:131 0 EOF; `->` marks one that waits.
            _, kind, _, _, pid, file, *_ = line.split()
            if kind == "FLOCK" and int(file.rpartition(":")[2]) == inode and int(pid) > 0:
                return int(pid)
    return None


def is_free(path: Path) -> bool:
    """Return True where nobody holds a lock on this file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
