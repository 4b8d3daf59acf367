"""Files of a task's worktree that no commit has yet, in words."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.errors import CtuiError
from ctui.worktrees.git_status import git_status

if TYPE_CHECKING:
    from ctui.tasks.model import Task

_SECONDS = 3.0
"""Somebody waits; a worktree that takes longer is one of which nothing is said."""


async def uncommitted(task: Task) -> str:
    """Return how many files are not committed, such as `2 modified, 1 untracked`; "" for none."""
    worktree = Path(task.worktree)
    if not await asyncio.to_thread(worktree.is_dir):
        return ""
    try:
        async with asyncio.timeout(_SECONDS):
            changes = (await git_status(Path(task.metadata or task.repository), worktree)).changes
    except (CtuiError, TimeoutError):
        return "git cannot read its worktree now"
    counts = {
        "staged": changes.staged,
        "modified": changes.modified,
        "untracked": changes.untracked,
        "in conflict": changes.conflicted,
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)
