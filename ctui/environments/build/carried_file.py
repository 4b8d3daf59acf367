"""The file that says what was carried into a worktree; it lies with the worktree's metadata."""

from __future__ import annotations

from pathlib import Path

CARRIED_FILE = "ctui-carried.json"


def has_carried(metadata: Path) -> bool:
    """Return True if folders were carried into a worktree, without loading what handles them."""
    return (metadata / CARRIED_FILE).exists()
