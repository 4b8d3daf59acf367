"""Files that changed in the very second in which git looked at them.

Git compares times in whole seconds. Another change in that second, of the same size and with the
old modification time, would not be found: such files are read again by the next snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_NAME = "recent"
_SLACK = 2
"""Seconds: a file system's clock is not quite ours."""
_LINES = 5
"""Lines that git writes behind a name, of which the first is its ctime."""
_CTIME = b"  ctime: "


def remember(folder: Path, listed: bytes, began: int) -> None:
    """Note the files of an index that changed since a moment, or just before.

    Args:
        folder: of the snapshots.
        listed: as `git ls-files --debug -z` writes it.
        began: the moment, before git looked at them; seconds since the epoch.
    """
    since = began - _SLACK
    names = (name + b"\0" for name, changed in _entries(listed) if changed >= since)
    (folder / _NAME).write_bytes(b"".join(names))


def _entries(listed: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each file with the second of its last change."""
    name, *others = listed.split(b"\0")
    for other in others:
        *lines, following = other.split(b"\n", _LINES)
        seconds = lines[0].removeprefix(_CTIME).partition(b":")[0] if lines else b""
        if seconds.isdigit():
            yield name, int(seconds)
        name = following


def recalled(folder: Path) -> list[bytes]:
    """Return the files that were noted last."""
    try:
        return [name for name in (folder / _NAME).read_bytes().split(b"\0") if name]
    except FileNotFoundError:
        return []
