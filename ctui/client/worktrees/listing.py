"""The worktrees of a repository with their tasks, as every front end gives them to programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ctui.client.worktrees.survey import open_survey
from ctui.client.worktrees.worktrees import open_index
from ctui.git.repository.target import short_ref
from ctui.paths import Paths
from ctui.tasks.task_state import TaskState
from ctui.worktrees.landing.unfinished import complete_unfinished
from ctui.worktrees.mending import what_to_do
from ctui.worktrees.model import Changes, Problem, State, Upstream, Verdict, WorktreeStatus
from ctui.worktrees.proof.worker import ProofWorker

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository
    from ctui.tasks.database.worktree_index import WorktreeIndex


class TaskOfWorktree(msgspec.Struct, frozen=True):
    """The newest task of a worktree."""

    id: str
    state: TaskState
    asks: int
    """Number of its asks that wait for an answer."""


class ListedWorktree(msgspec.Struct, frozen=True, kw_only=True):
    """A worktree as it is now."""

    name: str
    path: str
    branch: str | None
    head: str | None
    base: str | None
    status: Literal["clean", "unclean", "merged"]
    verdict: Verdict
    evidence: str
    """The reason for its status as a sentence; behind it what to do about a problem."""
    changes: Changes | None
    upstream: Upstream
    ahead: int
    behind: int
    added: int | None
    """Number of lines that landing it would add; null if that is not known, or it is merged."""
    removed: int | None
    conflict: bool | None
    """True if landing it by a merge would conflict; null if that is not known."""
    active: int
    """Last time that git wrote its state: nanoseconds since the epoch, 0 if unknown."""
    state: State | None
    locked: str | None
    problem: Problem | None
    task: TaskOfWorktree | None


class Target(msgspec.Struct, frozen=True):
    """The branch that worktrees are judged against."""

    ref: str
    commit: str

    @property
    def name(self) -> str:
        """The ref as a person calls it, safe to show."""
        return short_ref(self.ref)


class WorktreeList(msgspec.Struct, frozen=True):
    """Every worktree of a repository, by name."""

    repository: str
    """The main repository's `.git`."""
    target: Target
    worktrees: list[ListedWorktree]


async def list_worktrees(paths: Paths, repository: Repository) -> WorktreeList:
    """Look at all worktrees of a repository, after completing what a crash cut off."""
    await complete_unfinished(repository)
    prover = ProofWorker(paths.cache)
    try:
        with open_index(paths) as index:
            found = await open_survey(paths, index, repository, prover).listed()
            tasks = _tasks(index)
    finally:
        await prover.close()
    target = repository.target()
    return WorktreeList(
        repository=str(repository.common_dir),
        target=Target(target.ref, target.commit),
        worktrees=[_item(status, tasks) for status in found],
    )


async def list_one(paths: Paths, repository: Repository, metadata: Path) -> ListedWorktree:
    """Look at one worktree, by its metadata folder. Raises NotFound."""
    prover = ProofWorker(paths.cache)
    try:
        with open_index(paths) as index:
            status = await open_survey(paths, index, repository, prover).one(metadata)
            return _item(status, _tasks(index))
    finally:
        await prover.close()


def _tasks(index: WorktreeIndex) -> dict[str, TaskOfWorktree]:
    """Return the newest task of each worktree, by path."""
    return {
        task.worktree: TaskOfWorktree(task.id, task.state, task.asks) for task in index.places.all()
    }


_SHOWN = tuple(name for name in ListedWorktree.__struct_fields__ if name != "task")


def _item(status: WorktreeStatus, tasks: Mapping[str, TaskOfWorktree]) -> ListedWorktree:
    shown = {name: getattr(status, name) for name in _SHOWN}
    if status.problem is not None:
        hint = what_to_do(status.problem, Path(status.path), Path(status.metadata))
        shown["evidence"] = f"{status.evidence}; {hint}" if status.evidence else hint
    return ListedWorktree(**shown, task=tasks.get(status.path))
