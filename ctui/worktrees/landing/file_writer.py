"""Replacement of files, one path at a time and without following a link.

Git writes a file in place. If it is killed, half a file is left that nobody can tell from an edit
by a person. Here every new file is first written elsewhere and then renamed over the old one, so
each path is as before or as after, and the files themselves tell what is left to do.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ctui.worktrees.landing.commit_diff import EntryChange

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Signature = tuple[int, ...]
"""Facts of a file that change when the file does."""


def write_files(
    work_tree: Path,
    changes: Sequence[EntryChange],
    seen: Mapping[bytes, Signature | None],
    folder: Path,
) -> None:
    """Put new files in place and delete old ones.

    Args:
        work_tree: the checkout's files.
        changes: the paths to write or delete.
        seen: how each was before; one that is not so any more was changed by somebody, and stays.
        folder: holds the new files, under the same paths.
    """
    root = os.open(work_tree, _FOLDER)
    try:
        owner = os.fstat(root)
        for change in changes:
            if change.new is None:
                _delete(root, change, seen[change.path])
        for change in changes:
            if change.new is not None:
                _write(root, change, seen[change.path], folder, owner)
    finally:
        os.close(root)


def in_the_way(work_tree: Path, changes: Sequence[EntryChange]) -> list[bytes]:
    """Return the files that git does not know in the place of new ones, ignored ones too."""
    gone = {change.path for change in changes if change.new is None}
    root = os.fsencode(work_tree)
    added = [change.path for change in changes if change.old is None]
    return sorted({found for path in added for found in _occupants(root, path, gone)})


def read_only(work_tree: Path, changes: Sequence[EntryChange]) -> list[bytes]:
    """Return the folders of changed paths that exist and cannot be written; relative paths."""
    root = os.fsencode(work_tree)
    folders = {change.path.rpartition(b"/")[0] for change in changes}
    return sorted(
        folder or b"."
        for folder in folders
        if stat.S_ISDIR(_mode(root, folder) or 0)
        and not os.access(root + b"/" + folder, os.W_OK | os.X_OK)
    )


def _occupants(root: bytes, path: bytes, gone: Collection[bytes]) -> list[bytes]:
    parts = path.split(b"/")
    for depth in range(1, len(parts)):
        parent = b"/".join(parts[:depth])
        mode = _mode(root, parent)
        if mode is None:
            return []
        if not stat.S_ISDIR(mode):
            return [] if parent in gone else [parent]
    mode = _mode(root, path)
    if mode is None:
        return []
    if not stat.S_ISDIR(mode):
        return [path]
    return [name for name in _files_below(root, path) if name not in gone]


def _files_below(root: bytes, folder: bytes) -> Iterator[bytes]:
    with os.scandir(root + b"/" + folder) as entries:
        for entry in entries:
            path = folder + b"/" + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(root, path)
            else:
                yield path


def _mode(root: bytes, path: bytes) -> int | None:
    try:
        return os.lstat(root + b"/" + path).st_mode
    except OSError:
        return None


def signatures(work_tree: Path, changes: Sequence[EntryChange]) -> dict[bytes, Signature | None]:
    """Return the state of each path, or None if there is nothing, or a folder."""
    root = os.open(work_tree, _FOLDER)
    try:
        found: dict[bytes, Signature | None] = {}
        for change in changes:
            parent = _open_parent(root, change.path)
            found[change.path] = None if parent is None else _signature(parent, change.path)
            if parent is not None:
                os.close(parent)
        return found
    finally:
        os.close(root)


def _signature(parent: int, path: bytes) -> Signature | None:
    """Return the state of one path, or None. A folder counts as nothing, unlike what is in it."""
    try:
        status = os.stat(path.rpartition(b"/")[2], dir_fd=parent, follow_symlinks=False)
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _open_parent(root: int, path: bytes, owner: os.stat_result | None = None) -> int | None:
    """Open a path's folder as a descriptor, or yield None if that is not a plain folder.

    Args:
        root: a descriptor of the checkout.
        path: relative to it.
        owner: make folders that are missing, for this owner.
    """
    descriptor = os.dup(root)
    for part in path.split(b"/")[:-1]:
        try:
            if owner is not None:
                _make_folder(descriptor, part, owner)
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                return None
            raise
        os.close(descriptor)
        descriptor = inner
    return descriptor


def _make_folder(parent: int, name: bytes, owner: os.stat_result) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        _give(name, parent, owner)


def _give(name: bytes, parent: int, owner: os.stat_result) -> None:
    """As root, give what is new in a checkout to the checkout's owner."""
    if os.geteuid() == 0:
        os.chown(name, owner.st_uid, owner.st_gid, dir_fd=parent, follow_symlinks=False)


def _delete(root: int, change: EntryChange, seen: Signature | None) -> None:
    parent = _open_parent(root, change.path)
    if parent is None:
        return
    try:
        if seen is not None and _signature(parent, change.path) == seen:
            os.unlink(change.path.rpartition(b"/")[2], dir_fd=parent)
    finally:
        os.close(parent)
    _prune(root, change.path.rpartition(b"/")[0])


def _prune(root: int, folder: bytes) -> None:
    """Remove the folders that a deletion left empty, as git does."""
    while folder:
        parent = _open_parent(root, folder)
        if parent is None:
            return
        try:
            os.rmdir(folder.rpartition(b"/")[2], dir_fd=parent)
        except OSError:
            return
        finally:
            os.close(parent)
        folder = folder.rpartition(b"/")[0]


def _write(
    root: int,
    change: EntryChange,
    seen: Signature | None,
    folder: Path,
    owner: os.stat_result,
) -> None:
    source = os.fsencode(folder) + b"/" + change.path
    parent = _open_parent(root, change.path, owner)
    if parent is None:
        return
    name = change.path.rpartition(b"/")[2]
    try:
        if seen is None:
            _remove_empty(parent, name)
        if _signature(parent, change.path) == seen:
            _rename(source, name, parent, owner)
    except (IsADirectoryError, NotADirectoryError):
        return  # somebody made a folder here since; what is in it is theirs
    finally:
        os.close(parent)


def _remove_empty(parent: int, name: bytes) -> None:
    """Remove a folder that holds no file, only folders that hold none."""
    try:
        folder = os.open(name, _FOLDER, dir_fd=parent)
    except OSError:
        return
    try:
        with os.scandir(folder) as entries:
            inside = [os.fsencode(entry.name) for entry in entries]
        for inner in inside:
            _remove_empty(folder, inner)
    finally:
        os.close(folder)
    with suppress(OSError):
        os.rmdir(name, dir_fd=parent)


def _rename(source: bytes, name: bytes, parent: int, owner: os.stat_result) -> None:
    if os.geteuid() == 0:
        os.chown(source, owner.st_uid, owner.st_gid, follow_symlinks=False)
    try:
        os.rename(source, name, dst_dir_fd=parent)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_across(source, name, parent, owner)


def _move_across(source: bytes, name: bytes, parent: int, owner: os.stat_result) -> None:
    """Rename between file systems, by a complete copy beside the old file."""
    copy = b".ctui-transition"
    with suppress(FileNotFoundError):
        os.unlink(copy, dir_fd=parent)
    staged = Path(os.fsdecode(source))
    status = staged.lstat()
    if stat.S_ISLNK(status.st_mode):
        os.symlink(staged.readlink(), copy, dir_fd=parent)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(copy, flags, 0o600, dir_fd=parent)
        with os.fdopen(descriptor, "wb") as writer, staged.open("rb") as reader:
            shutil.copyfileobj(reader, writer, 1 << 20)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
    _give(copy, parent, owner)
    os.rename(copy, name, src_dir_fd=parent, dst_dir_fd=parent)
    staged.unlink()
