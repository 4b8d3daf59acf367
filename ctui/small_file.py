"""Reading a small file that somebody else may have made: bounded, and without waiting for anybody.

Unlike `git.hostile` it follows links, as the person's own files and a repository's may be some.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_small_file(path: Path, limit: int, *, owner: int | None = None) -> bytes:
    """The content of a regular file of at most `limit` bytes, and of `owner` if one is given.

    Raises:
        OSError: it cannot be read, is a folder, FIFO or device, is larger, or another user's; its
            `strerror` says which.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
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
