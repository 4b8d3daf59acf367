"""Conflicts of a landing or an update, as the command line says them and hands them to a task."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ctui.cli import context
from ctui.cli.output import warn
from ctui.errors import Conflict, CtuiError
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.tasks.model import Task
    from ctui.worktrees.known import KnownWorktree
    from ctui.worktrees.landing.merge_plan import MergeConflict


def say_conflict(
    worktree: KnownWorktree, conflict: MergeConflict, *, tell: bool, then: str, as_json: bool
) -> int:
    """Say what conflicts and who resolves it, and return the exit code.

    Args:
        worktree: whose commits conflict.
        conflict: nothing was moved.
        tell: let the worktree's newest task resolve it.
        then: what to do after that.
        as_json: raise the conflict instead of saying it.

    Raises:
        MergeConflict: for a program.
        Conflict: the task could not be told; the message says both.
    """
    told = asyncio.run(_tell(worktree, conflict)) if tell else None
    if as_json:
        raise conflict
    warn(f"ctui: {conflict.message}")
    if told is None:
        warn("with --tell-task the worktree's task resolves it")
    else:
        name = one_line(told.id)
        warn(f"{name} was told to resolve it: `ctui task logs {name} --follow`; {then}")
    return 1


async def _tell(worktree: KnownWorktree, conflict: MergeConflict) -> Task:
    from ctui.client.client import Client
    from ctui.client.tasks.updating import tell_task

    try:
        async with Client(context.paths()) as client:
            return await tell_task(client, worktree, conflict)
    except CtuiError as error:
        raise Conflict(f"{conflict.message}; {error.message}", hint=error.hint) from error
