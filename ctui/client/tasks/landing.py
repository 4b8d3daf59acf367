"""Landing by hand: only what no task works in, and what conflicts goes back to the task."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.client.tasks.caller import new_message
from ctui.client.worktrees.worktrees import open_store
from ctui.errors import NotFound, Refused
from ctui.paths import Paths
from ctui.tasks.model import Task, TaskState
from ctui.text import one_line
from ctui.worktrees.landing.checkouts import Checkout, linked_checkout

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.git.repository.repository import Repository
    from ctui.worktrees.known import KnownWorktree

_UNFINISHED = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


def landable(
    paths: Paths, repository: Repository, worktree: KnownWorktree, *, to_commit: bool = False
) -> Checkout:
    """Return a worktree's checkout, if its commits can be landed now.

    Args:
        paths: whose tasks.
        repository: of the worktree.
        worktree: opened by its metadata.
        to_commit: what is uncommitted in it will be committed. A task that goes on would find its
            branch moved behind its back, and one that stopped in the middle of a merge has
            conflicts in its files that only its own git directory knows of.

    Raises:
        Refused: a task works in it, or would be disturbed.
    """
    with open_store(paths) as store:
        tasks = store.tasks.list(worktree=str(worktree.path))
    for task in tasks:
        name = one_line(task.id)
        if task.works:
            doing = str(task.state) if task.state.live else "running a command"
            raise Refused(f"the task {name} is {doing}", hint=f"ctui task stop {name}")
        if to_commit and task.state is TaskState.IDLE:
            hint = f'let it commit: ctui task send {name} "commit your changes"; or stop it'
            raise Refused(f"the conversation of {name} is open", hint=hint)
        git_dir = paths.task(task.id) / "git"
        if to_commit and any(os.path.lexists(git_dir / unfinished) for unfinished in _UNFINISHED):
            raise Refused(
                f"{name} stopped in the middle of a merge or rebase",
                hint=f"let it finish: ctui task resume {name}",
            )
    return linked_checkout(repository, worktree.metadata, worktree.record)


async def hand_over(client: Client, worktree: Path, message: str) -> Task:
    """Tell a worktree's newest task what conflicts, so that it resolves it.

    Raises:
        NotFound: no task worked there.
        CtuiError: it could not be told.
    """
    with open_store(client.paths) as store:
        task = store.tasks.newest(str(worktree))
    if task is None:
        raise NotFound(
            f"no task worked in {one_line(worktree.name)}",
            hint="start one there: ctui run --worktree NAME PROMPT",
        )
    return await client.call(new_message(client.paths, task.id, message))
