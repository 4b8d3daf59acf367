"""Bounded reading of a small file that somebody else may have made.

Reads never block. Unlike `git.hostile`, links on the way are followed, because folders of a person
may be links.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def is_missing(path: Path) -> bool:
    """Return True if nothing has this name; what nobody may look at is there."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def read_small_file(
    path: Path | str, limit: int, *, owner: int | None = None, follow_links: bool = True
) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Args:
        path: of the file.
        limit: in bytes.
        owner: the user id that it must belong to, if any.
        follow_links: allow the file itself to be a link.

    Raises:
        OSError: it cannot be read, is a folder, FIFO or device, is larger, or another user's; its
            `strerror` says which.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags if follow_links else flags | os.O_NOFOLLOW)
    except ValueError as error:  # a NUL, or half of a surrogate pair
        raise OSError(errno.EINVAL, "no file can have such a name") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if owner is not None and status.st_uid != owner:
            raise OSError(errno.EPERM, "it belongs to another user")
        data = b""
        while len(data) <= limit and (more := os.read(descriptor, limit + 1 - len(data))):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit >> 10} KB")
    return data
