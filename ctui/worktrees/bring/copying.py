"""Copies of files from one folder into another, both of which somebody may be changing."""

from __future__ import annotations

import errno
import fcntl
import os
import posixpath
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FICLONE = 0x40049409
"""ioctl that shares a file's blocks (ioctl_ficlone(2))."""
_PORTION = 1 << 20

Owner = tuple[int, int]


def link_problem(path: bytes, target: bytes) -> str:
    """Return why a link may not be brought; "" if it leads to a place of the same folder."""
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith(b"/") or reached == b".." or reached.startswith(b"../"):
        return "it is a link that leads out"
    return ""


def copy_files(
    source: Path, target: Path, paths: Iterable[bytes], *, replace: bool = False
) -> dict[bytes, str]:
    """Copy regular files and links with their mode and time, and return why others were left out.

    Args:
        source: the folder that the paths are in.
        target: the folder that gets them; its owner gets the files.
        paths: relative, with `/`.
        replace: replace what is there; otherwise that stays as it is.

    Raises:
        OSError: the target cannot be written.
    """
    left: dict[bytes, str] = {}
    here, there = os.open(source, _FOLDER), os.open(target, _FOLDER)
    status = os.fstat(there)
    owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else None
    try:
        for path in paths:
            if why := _copy(here, there, path, owner, replace=replace):
                left[path] = why
    finally:
        os.close(here)
        os.close(there)
    return left


def remove_files(target: Path, paths: Iterable[bytes]) -> None:
    """Remove files and links of a folder, and the folders that are empty then."""
    there = os.open(target, _FOLDER)
    try:
        for path in paths:
            *folders, name = path.split(b"/")
            with suppress(OSError):
                folder = _enter(there, folders, None, make=False)
                try:
                    os.unlink(name, dir_fd=folder)
                finally:
                    os.close(folder)
            while folders:
                inner = folders.pop()
                try:
                    folder = _enter(there, folders, None, make=False)
                except OSError:
                    break
                try:
                    os.rmdir(inner, dir_fd=folder)
                except OSError:
                    break
                finally:
                    os.close(folder)
    finally:
        os.close(there)


def _copy(here: int, there: int, path: bytes, owner: Owner | None, *, replace: bool) -> str:
    *folders, name = path.split(b"/")
    if any(part.lower() in {b"", b".", b"..", b".git"} for part in (*folders, name)):
        return "it is git's own"
    try:
        inside = _enter(here, folders, None, make=False)
    except OSError:
        return "a folder of its path is a link, or gone"
    try:
        status = os.stat(name, dir_fd=inside, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            text = os.readlink(name, dir_fd=inside)
            return link_problem(path, text) or _make_link(
                there, folders, name, text, owner, replace
            )
        if not stat.S_ISREG(status.st_mode):
            return "it is no file"
        descriptor = os.open(name, _READ, dir_fd=inside)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    finally:
        os.close(inside)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return "it is no file"
        return _make_file(there, folders, name, file.fileno(), owner, replace)


def _make_link(
    there: int, folders: list[bytes], name: bytes, text: bytes, owner: Owner | None, replace: bool
) -> str:
    return _place(
        there,
        folders,
        name,
        owner,
        lambda new, folder: os.symlink(text, new, dir_fd=folder),
        replace=replace,
    )


def _make_file(
    there: int, folders: list[bytes], name: bytes, data: int, owner: Owner | None, replace: bool
) -> str:
    status = os.fstat(data)

    def write(new: bytes, folder: int) -> None:
        descriptor = os.open(new, _WRITE, 0o600, dir_fd=folder)
        try:
            _fill(data, descriptor)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & 0o777)
            os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(descriptor)

    return _place(there, folders, name, owner, write, replace=replace)


def _place(
    there: int,
    folders: list[bytes],
    name: bytes,
    owner: Owner | None,
    make: Callable[[bytes, int], None],
    *,
    replace: bool,
) -> str:
    """Make something beside its place, and put it there whole."""
    try:
        folder = _enter(there, folders, owner, make=True)
    except (FileExistsError, NotADirectoryError):
        return "something else is in its place"
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link is in the place of a folder
            return "something else is in its place"
        raise
    new = b".ctui-new-" + os.urandom(6).hex().encode()
    try:
        make(new, folder)
        if owner is not None:
            os.chown(new, *owner, dir_fd=folder, follow_symlinks=False)
        if replace:
            os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
            return ""
        os.link(new, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return "something is in its place already"
    except IsADirectoryError:
        return "a folder is in its place"
    finally:
        with suppress(OSError):
            os.unlink(new, dir_fd=folder)
        os.close(folder)
    return ""


def _enter(root: int, folders: Iterable[bytes], owner: Owner | None, *, make: bool) -> int:
    """Open a folder below another one, with `make` also one that is not there yet."""
    descriptor = os.dup(root)
    try:
        for part in folders:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=descriptor)
                    if owner is not None:
                        os.chown(part, *owner, dir_fd=descriptor, follow_symlinks=False)
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _fill(source: int, target: int) -> None:
    """Share the blocks of a file where the file system can, else copy its bytes."""
    with suppress(OSError):
        fcntl.ioctl(target, _FICLONE, source)
        return
    while data := os.read(source, _PORTION):
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
