"""A survey of a repository's worktrees with what is on record of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.client.worktrees.worktrees import records
from ctui.config import load_config
from ctui.paths import Paths
from ctui.worktrees.survey import Survey

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository
    from ctui.tasks.database.worktree_index import WorktreeIndex
    from ctui.worktrees.git_status import GitStatus
    from ctui.worktrees.model import WorktreeRecord
    from ctui.worktrees.proof.worker import ProofWorker

_BRIEF = 7


def open_survey(
    paths: Paths,
    index: WorktreeIndex,
    repository: Repository,
    prover: ProofWorker,
    *,
    looks: dict[Path, GitStatus] | None = None,
) -> Survey:
    """Return a survey with the records of worktrees, and with their tasks' work in the repository.

    Args:
        paths: whose worktrees.
        index: open, of the same person.
        repository: whose worktrees.
        prover: judges their work.
        looks: see `Survey`.
    """
    if not repository.wanted_target:
        repository.judge_against(load_config(paths).worktrees.target, must_exist=False)
    known = records(paths, repository)
    also = task_work(repository, known.values(), _tasks_by_worktree(index))
    prove = partial(prover.prove, repository, repository.targets())
    return Survey(repository, prove, records=known, also=also, looks=looks)


def task_work(
    repository: Repository,
    known: Iterable[WorktreeRecord],
    tasks: Mapping[str, Iterable[str]],
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the branches and stashes that the tasks of each worktree have, also beside its own.

    Args:
        repository: where they were imported.
        known: the worktrees.
        tasks: path of a worktree -> the ids of its tasks.

    Returns:
        metadata folder -> name and commit, as `task's branch wip` and `task's stash 3f2a91c`.
    """
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    imported = [
        (task, rest, commit)
        for ref, commit in repository.refs("refs/ctui/")
        for task, _, rest in [ref.partition("/")]
    ]
    for record in known:
        mine = tuple(tasks.get(record.path, ()))
        found[record.metadata] = tuple(
            (_name(ref), commit) for task, ref, commit in imported if task in mine
        )
    return found


def _name(ref: str) -> str:
    """Return a task's ref in words."""
    kind, _, rest = ref.partition("/")
    match kind:
        case "heads":
            return f"task's branch {rest}"
        case "stash":
            return f"task's stash {rest[:_BRIEF]}"
    return f"{kind} {rest}".strip()


def _tasks_by_worktree(index: WorktreeIndex) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for task in index.places.all():
        found.setdefault(task.worktree, []).append(task.id)
    return found
