"""Writing files as a whole: after a crash a file has either its old content or its new one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace_file(
    path: Path,
    data: bytes,
    *,
    mode: int | None = 0o600,
    like: os.stat_result | None = None,
    sync: bool = True,
    suffix: str = "",
) -> None:
    """Write a file beside its place and rename it there; a link is replaced, not followed.

    Args:
        path: of the file; its folder must exist.
        data: all of the content.
        mode: of the file whatever the umask is, or None for what the umask leaves of 0666.
        like: status whose mode, and if permitted owner, the file gets instead.
        sync: have content and name survive a power failure.
        suffix: end of the unfinished file's name. The default is new for each call, as several
            processes may write; give one where a lock admits a single writer, which then removes
            what a killed one left.

    Raises:
        OSError: it cannot be written; the old file is unchanged.
    """
    with open_folder(path.parent) as folder:
        replace_file_in(folder, path.name, data, mode=mode, like=like, sync=sync, suffix=suffix)


def replace_file_in(
    folder: int,
    name: str,
    data: bytes,
    *,
    mode: int | None = 0o600,
    like: os.stat_result | None = None,
    sync: bool = True,
    suffix: str = "",
) -> None:
    """Replace a file in an open folder, as `replace_file` does; the folder's path is not used."""

    def rename(unfinished: str) -> None:
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)

    _place(folder, name, data, rename, mode=mode, like=like, sync=sync, suffix=suffix)


def create_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a new file, which appears with all of its content.

    Raises:
        FileExistsError: something of this name exists.
        OSError: it cannot be written.
    """
    with open_folder(path.parent) as folder:

        def link(unfinished: str) -> None:
            os.link(
                unfinished,
                path.name,
                src_dir_fd=folder,
                dst_dir_fd=folder,
                follow_symlinks=False,
            )

        _place(folder, path.name, data, link, mode=mode, like=None, sync=True, suffix="")


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power failure."""
    with open_folder(path) as folder:
        os.fsync(folder)


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """Open a folder as a descriptor for calls with `dir_fd`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _place(
    folder: int,
    name: str,
    data: bytes,
    put: Callable[[str], None],
    *,
    mode: int | None,
    like: os.stat_result | None,
    sync: bool,
    suffix: str,
) -> None:
    unfinished = f"{name}.{suffix or f'{os.getpid()}-{os.urandom(4).hex()}'}"
    with suppress(FileNotFoundError):
        os.unlink(unfinished, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(unfinished, flags, 0o666 if mode is None else 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if like is not None:
                with suppress(PermissionError):
                    os.fchown(descriptor, like.st_uid, like.st_gid)
                mode = like.st_mode & 0o777
            if mode is not None:
                os.fchmod(descriptor, mode)
            if sync:
                os.fsync(descriptor)
        put(unfinished)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished, dir_fd=folder)
    if sync:
        os.fsync(folder)
