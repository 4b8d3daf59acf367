"""Pointers of Git LFS, which stand in a repository for files that are kept elsewhere."""

from __future__ import annotations

import re
from typing import NamedTuple

POINTER_LIMIT = 1024
"""Bytes of the largest pointer (git-lfs's own limit)."""

_POINTER = re.compile(
    rb"version https?://[\w./-]{1,60}\n(?:ext-\d-[\w.-]{1,80} [^\n]{1,200}\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?"
)


class Pointer(NamedTuple):
    """Object of Git LFS."""

    sha256: str
    size: int


def pointer_of(content: bytes) -> Pointer | None:
    """Return the object that a blob points to, or None if it is no pointer."""
    if len(content) > POINTER_LIMIT or (found := _POINTER.fullmatch(content)) is None:
        return None
    return Pointer(found[1].decode(), int(found[2]))
