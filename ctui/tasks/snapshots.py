"""The snapshots of a task: where they are, and how they are named."""

from __future__ import annotations

import time
from pathlib import Path

from ctui.git.repository.repository import Repository
from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tasks.turn import TurnFiles
from ctui.worktrees.review.comparison import Trees, changed_files
from ctui.worktrees.snapshots.changes import head_at
from ctui.worktrees.snapshots.model import Snapshot
from ctui.worktrees.snapshots.repository import SnapshotRepository
from ctui.worktrees.snapshots.take import take

TURNS = "refs/turns"
BY_HAND = "refs/hand"


def snapshots_of(paths: Paths, repository: Repository, task: Task) -> SnapshotRepository:
    """Return the snapshots of a task's worktree; they go with the task's journal."""
    metadata = Path(task.metadata) if task.metadata else repository.common_dir
    folder = paths.task(task.id) / "snapshots"
    return SnapshotRepository(folder, repository, metadata, Path(task.worktree))


def before_turn(number: int) -> str:
    """Return the ref of the snapshot of the moment before a turn."""
    return f"{TURNS}/{number:06}/before"


def end_of_turn(number: int) -> str:
    """Return the ref of the snapshot of a turn's end."""
    return f"{TURNS}/{number:06}/end"


def by_hand() -> str:
    """Return the ref of a snapshot that the person takes now."""
    return f"{BY_HAND}/{time.time_ns()}"


async def begin_of(snapshots: SnapshotRepository, number: int) -> Snapshot | None:
    """Return the newest snapshot before a turn, or None.

    It is that of the moment before, else of the end of the turn before it, else of its beginning.

    Raises:
        CtuiError: git failed.
    """
    for name in (before_turn(number), end_of_turn(number - 1), before_turn(number - 1)):
        if (commit := snapshots.ref(name)) is not None:
            return await snapshots.snapshot(commit)
    return None


async def take_of_turn(snapshots: SnapshotRepository, number: int, *, at_end: bool) -> TurnFiles:
    """Take the snapshot before a turn, or that of its end.

    Raises:
        CtuiError: see `take`.
    """
    name = end_of_turn(number) if at_end else before_turn(number)
    taken = await take(snapshots, name)
    head = head_at(snapshots)
    begin = await begin_of(snapshots, number) if at_end else None
    if begin is None:
        return TurnFiles(turn=number, at_end=at_end, snapshot=taken.id, head=head)
    changed = await changed_files(Trees(snapshots.folder, begin.tree, taken.tree))
    return TurnFiles(
        turn=number,
        at_end=at_end,
        snapshot=taken.id,
        files=len(changed),
        added=sum(file.added or 0 for file in changed),
        removed=sum(file.removed or 0 for file in changed),
        head=head,
    )
