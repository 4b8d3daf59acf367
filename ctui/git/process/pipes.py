"""Named pipes where git expects its own files: it opens them, and waits for a writer for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_READ_BY_GIT = (".gitattributes", ".gitignore")
"""Files of a checkout that git opens without looking at them first."""


def blocking_pipe(work_tree: Path) -> Path | None:
    """Return a pipe among the files of a checkout at which git would wait, or None."""
    for folder, _, names in os.walk(work_tree):
        for name in _READ_BY_GIT:
            if name in names and _is_pipe(path := Path(folder, name)):
                return path
    return None


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.lstat().st_mode)
    except OSError:
        return False
