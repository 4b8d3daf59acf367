"""Reading of a folder while a task may be writing to it.

Every step uses a descriptor and follows no link, only regular files are opened, and reads are
bounded. So a FIFO cannot block the reader, a link cannot redirect it, and a huge file cannot fill
memory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def folder(path: Path, *parts: str) -> Iterator[int | None]:
    """Open `path/parts…` as a descriptor, or yield None if any part is not a plain folder."""
    descriptor = -1
    try:
        descriptor = os.open(path, _FOLDER)
        for part in parts:
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    except OSError:
        if descriptor >= 0:
            os.close(descriptor)
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_file(name: str, directory: int) -> int | None:
    """Open a regular file of a folder, or return None. The caller closes the descriptor."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=directory)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def read_file(path: Path, *parts: str, limit: int) -> bytes | None:
    """Return the content of a regular file of at most `limit` bytes, or None."""
    with folder(path, *parts[:-1]) as directory:
        if directory is None or (descriptor := open_file(parts[-1], directory)) is None:
            return None
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(limit + 1)
        return data if len(data) <= limit else None


def walk_files(directory: int, *, depth: int, budget: list[int], prefix: str = "") -> Iterator[str]:
    """Return the relative paths of all regular files below an open folder.

    Args:
        directory: a descriptor that stays the caller's.
        depth: how many levels of folders are entered.
        budget: one number, counted down by every entry; the walk ends when it is used up.
        prefix: of the paths, for the recursion.
    """
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            budget[0] -= 1
            if budget[0] < 0:
                return
            with suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    yield prefix + entry.name
                elif depth and entry.is_dir(follow_symlinks=False):
                    inner = os.open(entry.name, _FOLDER, dir_fd=directory)
                    try:
                        yield from walk_files(
                            inner, depth=depth - 1, budget=budget, prefix=f"{prefix}{entry.name}/"
                        )
                    finally:
                        os.close(inner)
