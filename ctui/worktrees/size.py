"""Disk usage of a folder."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

_BLOCK = 512
"""Bytes in one of `st_blocks`, whatever the file system's own blocks are (inode(7))."""


def size_on_disk(folder: Path, *, seconds: float = 10.0) -> int | None:
    """Return the bytes of a folder's files on its own file system. Hard links count once.

    Args:
        folder: may be changed, or go, meanwhile.
        seconds: after which it is given up.

    Returns:
        None if it took too long, or the folder cannot be read.
    """
    deadline = monotonic() + seconds
    try:
        device = folder.lstat().st_dev
    except OSError:
        return None
    total = 0
    seen: set[int] = set()
    pending = [str(folder)]
    while pending:
        if monotonic() > deadline:
            return None
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if status.st_dev != device or status.st_ino in seen:
                        continue
                    if status.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        seen.add(status.st_ino)
                    total += status.st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError:
            continue
    return total
