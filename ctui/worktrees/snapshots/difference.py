"""Size of what differs between two snapshots."""

from __future__ import annotations

from typing import NamedTuple

from ctui.worktrees.snapshots.repository import SnapshotRepository


class Difference(NamedTuple):
    """Numbers of files and lines; a binary file has no lines."""

    files: int = 0
    added: int = 0
    removed: int = 0


async def difference(snapshots: SnapshotRepository, old: str, new: str) -> Difference:
    """Compare two trees.

    Raises:
        CtuiError: git failed.
    """
    if old == new:
        return Difference()
    said = await snapshots.git("diff-tree", "-r", "-z", "--numstat", "--no-renames", old, new)
    counts = [line.split(b"\t", 2) for line in said.stdout.split(b"\0") if line]
    numbers = [[int(text) if text.isdigit() else 0 for text in count[:2]] for count in counts]
    return Difference(len(counts), sum(n[0] for n in numbers), sum(n[1] for n in numbers))
