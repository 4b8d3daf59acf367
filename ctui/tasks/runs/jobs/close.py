"""Jobs that leave nothing behind: no sandbox of a run, and no file of a task that is deleted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import Refused
from ctui.tasks.calls import RemoveTask
from ctui.tasks.model import Run, Task, WorkState
from ctui.tasks.runs.jobs.patience import insist

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor

_GRACE_SECONDS = 5.0
_FROZEN_GRACE_SECONDS = 1.0
"""For what exceeded a limit: it goes on to write while it is asked to end."""


class Closed(NamedTuple):
    """No sandbox of a task is left."""

    work: WorkState | None
    another_login: bool
    """There is another login than the one that was rejected."""


async def stop(actor: TaskActor, run: Run) -> None:
    """Stop the sandbox of a run, and never that of a later one; try until it is done."""
    await _stop(actor, run.task, run.number)


async def _stop(actor: TaskActor, task: str, number: int | None = None) -> None:
    """Stop every sandbox of the task, or that of one of its runs."""
    runner = actor.services.runner
    grace = _FROZEN_GRACE_SECONDS if actor.standing.task.paused else _GRACE_SECONDS
    for item in await insist(actor, lambda: runner.list_ours(task)):
        if item.running and number in {None, item.run}:
            await insist(actor, partial(runner.stop, item.id, grace=grace))


async def close(actor: TaskActor, task: Task, *, rejected: bool) -> Closed:
    """Leave no sandbox of the task behind, and bring its work home.

    With `rejected` it looks for another login.
    """
    runner = actor.services.runner
    await _stop(actor, task.id)
    await actor.services.journals.sync(task.id)
    work = await actor.services.workspace.collect(task)
    while found := await insist(actor, lambda: runner.list_ours(task.id)):
        for item in found:
            await insist(actor, partial(runner.remove, item.id))
    another = rejected and await actor.services.logins.another(task)
    return Closed(work, another)


async def leave(actor: TaskActor, task: Task, call: RemoveTask) -> RemoveTask:
    """Bring home what an earlier import could not; with `purge` delete what only the task used.

    Returns:
        the call that it has carried out.

    Raises:
        Refused: its commits would be lost.
    """
    services = actor.services
    work = await services.workspace.collect(task)
    if call.purge and not call.force and work is not None and work.problem:
        raise Refused(
            f"{work.problem}; its own git directory is the only place where they are",
            hint="mend that first, or --force deletes them",
        )
    services.journals.close(task.id)
    if call.purge:
        await services.runner.discard_volumes(task.id)
        await services.workspace.discard(task)
    return call
