"""The place of a new task: a new worktree, one that is there, or the person's checkout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.client.tasks.bringing import Bringing
from ctui.client.tasks.new_task import NewTask
from ctui.client.worktrees import worktrees
from ctui.config import load_config
from ctui.errors import NotFound
from ctui.text import one_line
from ctui.worktrees.existing_branch import began_at
from ctui.worktrees.identity import head_of
from ctui.worktrees.layout import settings_folder
from ctui.worktrees.model import WorktreeRecord

if TYPE_CHECKING:
    from ctui.worktrees.create import Progress


class TaskPlace(msgspec.Struct, frozen=True):
    """The folder that a task works in."""

    path: str
    metadata: str | None
    branch: str | None
    base: str | None
    made: WorktreeRecord | None = None
    """The worktree, if it was made for this task."""


async def place_of(bringing: Bringing, new: NewTask, progress: Progress | None) -> TaskPlace:
    """Return the place that a new task asks for; its worktree is made if need be.

    Raises:
        CtuiError: it is not there, or cannot be made.
    """
    paths, repository, say = bringing.paths, bringing.repository, bringing.say
    if new.in_checkout:
        bringing.check(new_worktree=False)
        checkout = str(repository.work_tree)
        return TaskPlace(checkout, None, repository.head_branch(), repository.resolve("HEAD"))
    bringing.check(new_worktree=not (new.worktree or new.branch))
    made = None
    wanted = await worktrees.wanted_branch(repository, new.branch) if new.branch else None
    if new.branch and wanted is None:
        raise NotFound(f"there is no branch {one_line(new.branch, 80)}", hint="git branch --all")
    if wanted is not None and worktrees.has_branch(paths, repository, wanted.name):
        record = worktrees.recorded(paths, repository, wanted.name)
    elif new.worktree:
        meant = await worktrees.meant_by(repository, new.worktree)
        record = worktrees.recorded(paths, repository, meant)
        worktrees.check_ready(repository, record)
    else:
        prefix = load_config(paths, repository=settings_folder(repository)).worktrees.prefix
        record = made = await worktrees.make_worktree(
            paths,
            repository,
            prefix=prefix,
            name=new.name or new.task,
            prompt=new.prompt,
            base=bringing.base(new.base),
            progress=progress,
            say=say,
            existing=wanted,
            bring=bringing.into,
        )
    # One that ctui did not make is trusted as it is now: nobody knows how it began.
    known = record.base or began_at(repository, record.branch)
    base = known or head_of(repository, Path(record.metadata))
    return TaskPlace(record.path, record.metadata, record.branch, base, made)
