"""Repeatable renames of folders into the trash and back, identified by inode.

Each function may be called again after a crash and does what is left to do.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from ctui.errors import Conflict, Unavailable
from ctui.files import sync_folder
from ctui.worktrees.trash.entries import Moved, make_holder, tidy_holder

_ATTEMPTS = 3


def to_be_moved(
    part: Literal["metadata", "worktree", "companion"], source: Path, target: Path
) -> Moved:
    """Describe the folder that is at `source` now.

    Raises:
        Conflict: that is no folder.
    """
    try:
        status = source.lstat()
    except OSError as error:
        raise Conflict(f"{source} is gone: {error.strerror}", hint="look again") from error
    if not stat.S_ISDIR(status.st_mode):
        raise Conflict(f"{source} is no folder", hint="look at it by hand")
    return Moved(
        part=part,
        source=str(source),
        target=str(target),
        inode=status.st_ino,
        mode=stat.S_IMODE(status.st_mode),
    )


def is_at(path: Path, moved: Moved) -> bool:
    """Return True if the recorded folder is at the path.

    The device is not compared, because device numbers change at a reboot.
    """
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_ino == moved.inode


def rename_in(moved: Iterable[Moved]) -> None:
    """Rename everything into the trash, in order.

    Raises:
        Conflict: something else is at one of the places.
        Unavailable: the system refuses.
    """
    for one in moved:
        holder = Path(one.target).parent
        for attempt in range(_ATTEMPTS):
            make_holder(holder)
            try:
                rename_moved(one, Path(one.source), Path(one.target))
                break
            except FileNotFoundError:
                # Another process removed the holder with its last entry.
                if attempt == _ATTEMPTS - 1:
                    raise


def rename_back(moved: Iterable[Moved]) -> None:
    """Rename everything back to its former place, in the opposite order. Raises as `rename_in`."""
    for one in reversed(list(moved)):
        # Git removes its folder of worktrees together with the last of them.
        Path(one.source).parent.mkdir(parents=True, exist_ok=True)
        rename_moved(one, Path(one.target), Path(one.source))
        tidy_holder(Path(one.target).parent)


def rename_moved(moved: Moved, source: Path, target: Path) -> None:
    """Rename the recorded folder from `source` to `target`, unless it is there already."""
    if is_at(target, moved):
        _keep_mode(target, moved)
        return
    if not is_at(source, moved):
        raise Conflict(f"{source} is not the folder that it was", hint="look at it by hand")
    if os.path.lexists(target):
        raise Conflict(f"something else is at {target}", hint="move it away first")
    try:
        _rename(source, target)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
        raise Unavailable(f"{source} cannot be moved: {error.strerror}") from error
    if not is_at(target, moved):  # it was exchanged in the instant before
        _rename(target, source)
        raise Conflict(f"{source} is not the folder that it was", hint="look at it by hand")
    _keep_mode(target, moved)
    sync_folder(target.parent)
    sync_folder(source.parent)


def _rename(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except PermissionError:
        # The rename changes the `..` of the folder, so the folder itself must be writable.
        mode = stat.S_IMODE(source.lstat().st_mode)
        if mode & stat.S_IWUSR:
            raise
        source.chmod(mode | stat.S_IWUSR)
        source.rename(target)


def _keep_mode(path: Path, moved: Moved) -> None:
    if stat.S_IMODE(path.lstat().st_mode) != moved.mode:
        path.chmod(moved.mode)
