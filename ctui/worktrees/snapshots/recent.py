"""Files that changed in the very second in which git looked at them.

Git compares times in whole seconds. Another change in that second, of the same size and with the
old modification time, would not be found: such files are read again by the next snapshot.
"""

from __future__ import annotations

import re
from pathlib import Path

_NAME = "recent"
_SLACK = 2
"""Seconds: a file system's clock is not quite ours."""
_ENTRY = re.compile(rb"([^\0]+)\0  ctime: (\d+):\d+\n(?:  [^\n]*\n){4}")


def remember(folder: Path, listed: bytes, began: int) -> None:
    """Note the files of an index that changed since a moment, or just before.

    Args:
        folder: of the snapshots.
        listed: as `git ls-files --debug -z` writes it.
        began: the moment, before git looked at them; seconds since the epoch.
    """
    since = began - _SLACK
    names = (match[1] + b"\0" for match in _ENTRY.finditer(listed) if int(match[2]) >= since)
    (folder / _NAME).write_bytes(b"".join(names))


def recalled(folder: Path) -> list[bytes]:
    """Return the files that were noted last."""
    try:
        return [name for name in (folder / _NAME).read_bytes().split(b"\0") if name]
    except FileNotFoundError:
        return []
