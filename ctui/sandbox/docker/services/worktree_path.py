"""The way to a file of a worktree that a service reads, without a link on it.

The engine takes a path, and would follow what a task put there. So each part is opened by
descriptor before; nobody but the person can change it between that and the mount, because no
sandbox of the task runs while its services are started, and these only read.
"""

from __future__ import annotations

import os
import posixpath
import stat
from pathlib import Path

from ctui.errors import NotFound, Refused
from ctui.text import one_line

_STEP = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def worktree_path(worktree: str, path: str, service: str) -> str:
    """Return the path on this machine of a file or folder of a worktree.

    Raises:
        NotFound: the worktree does not have it.
        Refused: a link is on the way to it, or it is neither file nor folder.
    """
    parts = [part for part in path.split("/") if part not in {"", "."}]
    shown = one_line(path)
    if ".." in parts:
        raise Refused(f"the service {service} reads {shown}, which is not in the worktree")
    where = os.open(worktree, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            inner = os.open(part, _STEP, dir_fd=where)
            os.close(where)
            where = inner
        kind = os.fstat(where).st_mode
    except OSError as error:
        raise NotFound(
            f"the service {service} reads {shown}, which the worktree does not have",
            hint="commit it, or leave that mount out",
        ) from error
    finally:
        os.close(where)
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise Refused(
            f"the service {service} reads {shown}, which is a link or no plain file",
            hint="put the file itself there",
        )
    return str(Path(posixpath.join(worktree, *parts)))
