"""Deletion of a folder by descriptor, without following a link or leaving its file system.

Every folder inside is renamed to the top before it is entered. So nothing is deeper than one level,
however deep the tree was; a mount point, which cannot be renamed (rename(2), EBUSY), is never
entered; and an interrupted deletion goes on from what is left at the top.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ctui.errors import Conflict

_BLOCK = 512
"""Unit of `st_blocks` (stat(2))."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BREATH = 2000
_BREATH_SECONDS = 0.002


def erase_folder(folder: Path) -> None:
    """Delete a folder that nobody else writes any more, as far as that is possible.

    Unlike `shutil.rmtree` it has no limit of depth, beyond which a task could put what stays.
    """
    with suppress(OSError, Conflict):
        TreeRemover().remove(folder, folder.lstat().st_ino)


class Stopped(Exception):
    """End of a deletion that was asked to stop; the next call goes on from there."""


class TreeRemover:
    """Deletion of folders, with a count of what it frees."""

    def __init__(self, stop: Callable[[], bool] = lambda: False) -> None:
        self.freed = 0
        """Freed bytes on disk."""
        self._stop = stop
        self._prefix = f".erase-{secrets.token_hex(4)}-"
        self._count = 0

    def remove(self, folder: Path, inode: int) -> None:
        """Delete a folder if it is still the recorded one. One that is gone is no error.

        Raises:
            Conflict: another folder is at its place.
            OSError: something cannot be deleted; the rest of it stays.
            Stopped: it was asked to.
        """
        if not os.path.lexists(folder):
            return
        parent = os.open(folder.parent, _FOLDER)
        try:
            found = os.stat(folder.name, dir_fd=parent, follow_symlinks=False)
            # Compared with its holder and not with the record: device numbers change at a reboot.
            if (found.st_dev, found.st_ino) != (os.fstat(parent).st_dev, inode):
                raise Conflict(
                    f"{folder} is not the folder that was put there",
                    hint="delete it by hand if you know it",
                )
            top = _enter(folder.name, parent)
            try:
                if not os.path.samestat(os.fstat(top), found):
                    raise Conflict(f"{folder} was exchanged", hint="look at it by hand")
                self._empty(top)
            finally:
                os.close(top)
            os.rmdir(folder.name, dir_fd=parent)
            self.freed += found.st_blocks * _BLOCK
        finally:
            os.close(parent)

    def _empty(self, top: int) -> None:
        waiting = self._clear(top, top)
        while waiting:
            name = waiting.pop()
            folder = _enter(name, top)
            try:
                waiting += self._clear(folder, top)
            finally:
                os.close(folder)
            os.rmdir(name, dir_fd=top)

    def _clear(self, folder: int, top: int) -> list[str]:
        """Delete the files of a folder, and move its folders to the top.

        Returns:
            their names there.
        """
        found: list[str] = []
        with os.scandir(folder) as entries:
            listed = list(entries)
        for entry in listed:
            self._breathe()
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                found.append(self._lift(entry.name, folder, top))
                self.freed += status.st_blocks * _BLOCK
            else:
                os.unlink(entry.name, dir_fd=folder)
                # A file that has another hard link frees nothing.
                self.freed += status.st_blocks * _BLOCK if status.st_nlink == 1 else 0
        return found

    def _lift(self, name: str, folder: int, top: int) -> str:
        lifted = f"{self._prefix}{self._count}"
        try:
            os.rename(name, lifted, src_dir_fd=folder, dst_dir_fd=top)
        except PermissionError:
            os.close(_enter(name, folder))  # makes it writable
            os.rename(name, lifted, src_dir_fd=folder, dst_dir_fd=top)
        return lifted

    def _breathe(self) -> None:
        self._count += 1
        if self._count % _BREATH == 0:
            if self._stop():
                raise Stopped
            time.sleep(_BREATH_SECONDS)


def _enter(name: str, parent: int) -> int:
    """Open a folder so that it can be listed and emptied, whatever its mode was."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        _open_up(name, parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def _open_up(name: str, parent: int) -> None:
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, stat.S_IRWXU, dir_fd=parent, follow_symlinks=False)
        return
    # Linux has no chmod without following links; this path leads to the descriptor's folder.
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=parent)
    try:
        Path(f"/proc/self/fd/{descriptor}").chmod(stat.S_IRWXU)
    finally:
        os.close(descriptor)
