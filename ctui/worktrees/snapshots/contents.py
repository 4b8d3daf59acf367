"""Content of files in a worktree, read while a task may be changing it.

Every folder of a path is opened by descriptor and no link is followed, so nothing but what is in
the worktree is ever read.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Literal, NamedTuple, Self

from ctui.humanize import size_text

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

SPECIAL = "it is a pipe, a socket or a device"
UNNAMEABLE = "git keeps nothing of this name"
DEEPEST = 100
"""Folders around a file: each is a descriptor, and the process has others to serve with them."""
TOO_DEEP = f"more than {DEEPEST} folders are around it"
_MOST_ENTRIES = 100_000

Mode = Literal[b"100644", b"100755", b"120000"]


class Content(NamedTuple):
    """A file or link as it lies there."""

    mode: Mode
    data: bytes


class NotKept(NamedTuple):
    """Something that is there and cannot be kept."""

    why: str


Found = Content | NotKept | None
"""None where nothing is there, or a folder."""


class Entry(NamedTuple):
    """Something in a folder, by its name."""

    name: bytes
    kind: Literal["folder", "file", "other"]
    """A link is a file."""


class Folders:
    """The folders of one path after the other, open as long as the next path goes through them."""

    def __init__(self, worktree: Path) -> None:
        """Open the worktree.

        Raises:
            OSError: it is not there, or a link.
        """
        self._open: list[tuple[bytes, int]] = [(b"", os.open(worktree, _FOLDER))]

    def close(self) -> None:
        """Close all of them."""
        for _, descriptor in self._open:
            os.close(descriptor)
        self._open = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, path: bytes, limit: int) -> Found:
        """Return what is at a path; a file of more than `limit` bytes is not kept."""
        folder, _, name = path.rpartition(b"/")
        try:
            parent = self.enter(folder)
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                return None
            if b".git" in path.lower().split(b"/"):
                return NotKept(UNNAMEABLE)
            if stat.S_ISLNK(found.st_mode):
                if name.lower() == b".gitmodules":
                    return NotKept(UNNAMEABLE)
                return Content(b"120000", os.readlink(name, dir_fd=parent))
            if not stat.S_ISREG(found.st_mode):
                return NotKept(SPECIAL)
            return _read(os.open(name, _FILE, dir_fd=parent), limit)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return NotKept(f"it cannot be read: {error.strerror}")

    def is_folder(self, path: bytes) -> bool:
        """Return True if there is a folder at a path."""
        return stat.S_ISDIR(self._mode(path))

    def is_other(self, path: bytes) -> bool:
        """Return True if there is anything but a folder at a path."""
        mode = self._mode(path)
        return bool(mode) and not stat.S_ISDIR(mode)

    def _mode(self, path: bytes) -> int:
        """Return the mode of what is at a path; 0 where nothing is."""
        folder, _, name = path.rpartition(b"/")
        try:
            return os.stat(name, dir_fd=self.enter(folder), follow_symlinks=False).st_mode
        except OSError:
            return 0

    def entries(self, folder: bytes) -> list[Entry]:
        """Return what is in a folder; nothing where it cannot be read."""
        try:
            with os.scandir(self.enter(folder)) as listed:
                return [
                    Entry(os.fsencode(entry.name), _kind(entry))
                    for entry, _ in zip(listed, range(_MOST_ENTRIES), strict=False)
                ]
        except OSError:
            return []

    def enter(self, folder: bytes) -> int:
        """Return a folder's descriptor, which is open until another one is entered.

        Raises:
            OSError: there is none, or a link on the way, or it lies too deep.
        """
        parts = folder.split(b"/") if folder else []
        if len(parts) > DEEPEST:
            raise OSError(errno.ENAMETOOLONG, TOO_DEEP)
        keep = 0
        while (
            keep < min(len(parts), len(self._open) - 1) and self._open[keep + 1][0] == parts[keep]
        ):
            keep += 1
        while len(self._open) > keep + 1:
            os.close(self._open.pop()[1])
        for part in parts[keep:]:
            self._open.append((part, os.open(part, _FOLDER, dir_fd=self._open[-1][1])))
        return self._open[-1][1]


def _kind(entry: os.DirEntry[str]) -> Literal["folder", "file", "other"]:
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) or entry.is_symlink() else "other"


def _read(descriptor: int, limit: int) -> Found:
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return NotKept(SPECIAL)
        data = file.read(limit + 1) if found.st_size <= limit else b""
        if max(found.st_size, len(data)) > limit:
            has = size_text(max(found.st_size, len(data)))
            return NotKept(f"it has {has}, and at most {size_text(limit)} are kept")
        return Content(b"100755" if found.st_mode & 0o100 else b"100644", data)
