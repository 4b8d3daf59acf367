"""Disk usage of a task's folders, measured without trusting what is in them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_DEPTH = 128
"""Folders in each other, each of which takes a descriptor while it is read."""
_SECONDS = 20.0
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Usage(NamedTuple):
    """A lower bound of the usage: what is there, as far as it was looked at."""

    bytes: int = 0
    """Allocated ones: holes take none, and a file with several names counts once."""
    files: int = 0
    """Files or folders, whichever there are more of."""
    unmeasured: str = ""
    """A folder of the owner's own that cannot be looked into, below the one that was measured."""


class _Level(NamedTuple):
    """A folder that is open, and what is still to be looked at in it."""

    fd: int
    path: str
    names: Iterator[str]


def measure(*roots: Path, entries: int) -> Usage:
    """Return what is below these folders, by descriptor; a folder that is missing has nothing.

    No link is followed and no other file system entered. It ends early where there are more than so
    many entries, or where it takes too long.
    """
    found = _Measuring(entries)
    for root in roots:
        found.add(root)
    return Usage(found.bytes, max(found.files, found.folders), found.unmeasured)


class _Measuring:
    """The figures so far."""

    def __init__(self, entries: int) -> None:
        self.bytes = self.files = self.folders = 0
        self.unmeasured = ""
        self._left = entries
        self._linked: set[int] = set()
        self._until = time.monotonic() + _SECONDS

    def add(self, root: Path) -> None:
        """Add one folder and what is below it."""
        stack: list[_Level] = []
        try:
            stack.append(self._enter(os.open(root, _OPEN), ""))
            here = os.fstat(stack[0].fd)
            while stack and self._left > 0 and time.monotonic() < self._until:
                name = next(stack[-1].names, None)
                if name is None:
                    os.close(stack.pop().fd)
                else:
                    self._take(stack, name, here)
        except OSError:
            return  # the folder itself is gone, or cannot be read
        finally:
            for level in stack:
                os.close(level.fd)

    def _enter(self, fd: int, path: str) -> _Level:
        try:
            with os.scandir(fd) as listed:
                # At once, so that the listing's own descriptor is free again; never without an end.
                names = [entry.name for entry, _ in zip(listed, range(self._left), strict=False)]
        except OSError:
            os.close(fd)
            raise
        return _Level(fd, path, iter(names))

    def _take(self, stack: list[_Level], name: str, root: os.stat_result) -> None:
        level = stack[-1]
        try:
            found = os.stat(name, dir_fd=level.fd, follow_symlinks=False)
        except OSError:
            return  # it went away meanwhile
        if found.st_dev != root.st_dev or found.st_ino in self._linked:
            return
        self._left -= 1
        self.bytes += found.st_blocks * 512
        if not stat.S_ISDIR(found.st_mode):
            self.files += 1
            if found.st_nlink > 1:
                self._linked.add(found.st_ino)
            return
        self.folders += 1
        path = f"{level.path}/{name}" if level.path else name
        try:
            if len(stack) >= _DEPTH:
                raise PermissionError
            stack.append(self._enter(os.open(name, _OPEN, dir_fd=level.fd), path))
        except PermissionError:
            # Another user's folder was not made by the task; one of its own could hide anything.
            if found.st_uid == root.st_uid:
                self.unmeasured = self.unmeasured or path
        except OSError:
            return  # it went away, or became something else
