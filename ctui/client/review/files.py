"""Files of a worktree for a review: as they are now, and as a turn of its task left them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ctui.client.worktrees.worktrees import open_store
from ctui.errors import NotFound
from ctui.git.repository.repository import Repository
from ctui.paths import Paths, private_folder
from ctui.tasks.model import Task
from ctui.tasks.snapshots import begin_of, end_of_turn, snapshots_of
from ctui.tasks.turn import Turn
from ctui.worktrees.known import KnownWorktree
from ctui.worktrees.review.comparison import Trees
from ctui.worktrees.review.scopes import WorktreeTree
from ctui.worktrees.snapshots.repository import SnapshotRepository
from ctui.worktrees.snapshots.take import take

_NOW = "refs/review/now"
_LOOKED = "refs/review/looked"


class WorktreeFiles:
    """Snapshots of a worktree: those of its newest task, where one works or worked there."""

    def __init__(self, paths: Paths, repository: Repository, worktree: KnownWorktree) -> None:
        """Look for the snapshots; none is taken yet."""
        self._paths, self._repository, self._worktree = paths, repository, worktree
        self._task = _newest_task(paths, worktree)

    async def now(self) -> WorktreeTree:
        """Keep the files as they are.

        Raises:
            CtuiError: see `take`.
        """
        return await self._taken(_NOW)

    async def looked(self) -> str:
        """Keep the files as they are as what somebody has looked at; return their tree.

        Raises:
            CtuiError: see `take`.
        """
        return (await self._taken(_LOOKED)).tree

    async def turn(self, number: int) -> Trees:
        """Return what a turn began with, and its end.

        Raises:
            NotFound: no task has worked there, or one of the two is not kept.
        """
        if self._task is None:
            raise NotFound("no task has worked in this worktree", hint="look at its commits")
        snapshots = self._snapshots()
        if (end := snapshots.ref(end_of_turn(number))) is None:
            raise NotFound(
                f"nothing is kept of turn {number} of {self._task.id}",
                hint=f"`ctui task turns {self._task.id}` lists its turns",
            )
        if (begin := await begin_of(snapshots, number)) is None:
            raise NotFound(
                f"what turn {number} of {self._task.id} began with is not kept",
                hint="look at all of the branch",
            )
        return Trees(snapshots.folder, begin.tree, (await snapshots.snapshot(end)).tree)

    async def _taken(self, ref: str) -> WorktreeTree:
        snapshots = self._snapshots()
        taken = await take(snapshots, ref)
        return WorktreeTree(snapshots.folder, taken.tree, taken.left_out_count)

    def _snapshots(self) -> SnapshotRepository:
        if self._task is not None:
            return snapshots_of(self._paths, self._repository, self._task)
        path = self._worktree.path
        name = hashlib.sha256(bytes(path)).hexdigest()[:32]
        folder = private_folder(self._paths.cache) / "reviewed" / name
        return SnapshotRepository(folder, self._repository, self._worktree.metadata, Path(path))


def turns_of(paths: Paths, worktree: KnownWorktree) -> list[Turn]:
    """Return the turns of the worktree's newest task whose end is kept, newest first."""
    task = _newest_task(paths, worktree)
    if task is None:
        return []
    with open_store(paths) as store:
        return [turn for turn in reversed(store.turns.of(task.id)) if turn.snapshot]


def _newest_task(paths: Paths, worktree: KnownWorktree) -> Task | None:
    with open_store(paths) as store:
        return store.tasks.newest(str(worktree.path))
