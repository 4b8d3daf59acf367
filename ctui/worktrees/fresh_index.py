"""Index of a worktree that was just checked out, made to know its files without reading them.

Git cannot tell a file that changed in the second of the checkout from one that did not
(racy-git(7)), and takes a file with another owner for a changed one: it would read every file again
at every status. So the files get a time before the checkout, and the index what they are then.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.errors import CtuiError
from ctui.git.process.command import run_git, status_arguments

if TYPE_CHECKING:
    from ctui.worktrees.model import WorktreeRecord

_BEFORE_NS = 2_000_000_000
"""More than the second that git compares times by."""

_RACY_NS = 1_500_000_000
_HEADER = struct.Struct(">4sII")
_VERSIONS = {2, 3}
"""Without compressed names, and the only ones that git writes by itself (gitformat-index(5))."""

_STAT = struct.Struct(">10I")
"""ctime and mtime as seconds and nanoseconds, device, inode, mode, uid, gid, size."""

_FLAGS, _FIXED = 60, 62
"""Offset of an entry's flags, and of its name if they are not extended."""

_EXTENDED, _LENGTH = 0x4000, 0x0FFF
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
"""Of what a sparse checkout leaves out, and of what no file system takes."""

_GITLINK = 0o160000
_CHECKSUM = 20
_WORD = 0xFFFFFFFF


def settle(index: Path, work_tree: Path, owner: tuple[int, int] | None) -> bool:
    """Give the files of a fresh checkout an earlier time and an owner, and tell the index so.

    Nobody else may know of the checkout yet.

    Args:
        index: of the checkout; git must not be at work on it.
        work_tree: the checkout.
        owner: uid and gid that its files and folders get; None leaves them.

    Returns:
        False if the index is of a kind that cannot be changed here. Nothing was done then.

    Raises:
        OSError: a file cannot be changed, or the index not be written.
    """
    data = bytearray(index.read_bytes())
    magic, version, count = _HEADER.unpack_from(data)
    if magic != b"DIRC" or version not in _VERSIONS:
        return False
    root = os.open(work_tree, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        folders = _settle_entries(data, count, root, owner)
        if owner is not None:
            for folder in (b".", b".git", *folders):
                os.chown(folder, *owner, dir_fd=root, follow_symlinks=False)
    finally:
        os.close(root)
    if any(data[-_CHECKSUM:]):  # it is all zeros where index.skipHash is set
        data[-_CHECKSUM:] = hashlib.sha1(data[:-_CHECKSUM], usedforsecurity=False).digest()
    written = index.with_name("index.ctui-new")
    written.write_bytes(data)
    shutil.copymode(index, written)
    written.replace(index)
    return True


def _settle_entries(
    data: bytearray, count: int, root: int, owner: tuple[int, int] | None
) -> set[bytes]:
    """Change every entry's file and its part of the index; return the folders that files are in."""
    earlier = time.time_ns() - _BEFORE_NS
    folders: set[bytes] = set()
    start = _HEADER.size
    for _ in range(count):
        flags = int.from_bytes(data[start + _FLAGS : start + _FIXED])
        name_at = start + _FIXED + (2 if flags & _EXTENDED else 0)
        length = flags & _LENGTH
        end = data.index(0, name_at) if length == _LENGTH else name_at + length
        name = bytes(data[name_at:end])
        try:
            _settle_entry(data, start, name, root, earlier, owner)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
        folder = name.rpartition(b"/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition(b"/")[0]
        start += (end - start + 8) & ~7
    return {folder for folder in folders if _is_folder(folder, root)}


def _settle_entry(
    data: bytearray,
    start: int,
    name: bytes,
    root: int,
    earlier: int,
    owner: tuple[int, int] | None,
) -> None:
    if owner is not None:
        os.chown(name, *owner, dir_fd=root, follow_symlinks=False)
    _, _, _, _, device, inode, mode, _, _, size = _STAT.unpack_from(data, start)
    if mode == _GITLINK:
        return
    os.utime(name, ns=(earlier, earlier), dir_fd=root, follow_symlinks=False)
    found = os.stat(name, dir_fd=root, follow_symlinks=False)
    if (found.st_ino & _WORD, found.st_size & _WORD) != (inode, size):
        return  # git did not write this one, and looks at it itself
    changed, changed_ns = divmod(found.st_ctime_ns, 10**9)
    written, written_ns = divmod(found.st_mtime_ns, 10**9)
    times = changed & _WORD, changed_ns, written & _WORD, written_ns
    uid, gid = found.st_uid & _WORD, found.st_gid & _WORD
    _STAT.pack_into(data, start, *times, device, inode, mode, uid, gid, size)


def _is_folder(name: bytes, root: int) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=root, follow_symlinks=False).st_mode)
    except OSError:
        return False


def is_fresh(record: WorktreeRecord) -> bool:
    """Return True if nobody wrote its index since the second of its checkout."""
    try:
        written = (Path(record.metadata) / "index").stat().st_mtime_ns
    except OSError:
        return False
    return written < record.created + _RACY_NS <= time.time_ns()


async def refresh_index(record: WorktreeRecord) -> None:
    """Let git keep what is untracked with the times of the folders, once.

    A status reads only folders that changed then (git-update-index(1), "UNTRACKED CACHE").
    """
    with suppress(CtuiError):
        await run_git(
            status_arguments(),
            git_dir=Path(record.metadata),
            work_tree=Path(record.path),
            check=False,
            nice=True,
            config={"core.untrackedCache": "true"},
            env={"GIT_OPTIONAL_LOCKS": "1"},
        )
