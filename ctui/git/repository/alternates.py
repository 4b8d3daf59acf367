"""Folders of objects that a repository reads: its own, and those that it borrows from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_LIMIT = 1 << 16
_DEPTH = 5
"""Git's own limit: a longer chain of alternates is an error (gitrepository-layout(5))."""


def object_directories(common_dir: Path) -> list[Path]:
    """Return the folders of a repository's objects, its own first."""
    found: list[Path] = []
    pending = [(common_dir / "objects", 0)]
    while pending:
        folder, depth = pending.pop(0)
        folder = folder.resolve()
        if folder in found or depth > _DEPTH or not folder.is_dir():
            continue
        found.append(folder)
        pending += [(path, depth + 1) for path in _alternates(folder)]
    return found


def _alternates(objects: Path) -> list[Path]:
    path = objects / "info" / "alternates"
    with suppress(OSError):
        text = path.read_bytes()[:_LIMIT].decode("utf-8", "surrogateescape")
        lines = [line for line in text.split("\n") if line and not line.startswith("#")]
        return [Path(line) if line.startswith("/") else objects / line for line in lines]
    return []
