"""Jobs that leave nothing behind: no sandbox of a run, and no file of a task that is deleted."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import Refused, RunnerUnavailable
from ctui.tasks.calls import RemoveTask
from ctui.tasks.model import Run, Task, WorkState
from ctui.tasks.runs.jobs.look import import_work
from ctui.tasks.runs.jobs.patience import RETRY_SECONDS, insist, wait
from ctui.tasks.runs.jobs.snapshot import snapshot
from ctui.tasks.turn import TurnFiles

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor

_GRACE_SECONDS = 5.0
_FROZEN_GRACE_SECONDS = 1.0
"""For what exceeded a limit: it goes on to write while it is asked to end."""

_NOT_REMOVED = RunnerUnavailable(
    "the engine has not removed the task's sandbox yet", hint="`ctui doctor` looks at it"
)


class Closed(NamedTuple):
    """No sandbox of a task is left."""

    work: WorkState | None
    another_login: bool
    """There is another login than the one that was rejected."""
    files: TurnFiles | None
    """Snapshot of the last turn's end, where there was none yet."""


async def stop(actor: TaskActor, run: Run) -> None:
    """Stop the sandbox of a run, and never that of a later one; try until it is done."""
    await _stop(actor, run.task, run.number)


async def _stop(actor: TaskActor, task: str, number: int | None = None) -> None:
    """Stop every sandbox of the task with its services, or the sandbox of one of its runs.

    A service is asked to end behind the sandboxes, whose last words may be to it.
    """
    runner = actor.services.runner
    grace = _FROZEN_GRACE_SECONDS if actor.standing.task.paused else _GRACE_SECONDS
    found = await insist(actor, lambda: runner.list_ours(task))
    for item in found:
        if item.running and not item.service and number in {None, item.run}:
            await insist(actor, partial(runner.stop, item.id, grace=grace))
    if number is not None:
        return
    services = [one for one in found if one.service and one.ends_by_itself]
    stops = [partial(runner.stop, one.id, grace=grace) for one in services]
    await asyncio.gather(*(insist(actor, stop) for stop in stops))


async def close(actor: TaskActor, task: Task, *, rejected: bool, turn: int | None) -> Closed:
    """Leave no sandbox of the task behind, and bring its work home.

    With `rejected` it looks for another login; `turn` is one of whose end there is no snapshot.
    """
    await _stop(actor, task.id)
    await actor.services.journals.sync(task.id)
    work = await import_work(actor, task)
    files = None if turn is None else await snapshot(actor, task, turn, at_end=True)
    await _remove_all(actor, task.id)
    await insist(actor, lambda: actor.services.network.close(task.id))
    another = rejected and await actor.services.logins.another(task)
    return Closed(work, another, files)


async def _remove_all(actor: TaskActor, task: str) -> None:
    """Remove every sandbox of the task; return when the runner lists none any more."""
    runner, tries = actor.services.runner, 0
    while found := await insist(actor, lambda: runner.list_ours(task)):
        if tries:
            # A removal that is under way is no error of a runner; one that hangs is a trouble.
            await asyncio.sleep(RETRY_SECONDS)
        if tries > 1:
            await wait(actor, _NOT_REMOVED, tries - 1)
        tries += 1
        for item in found:
            await insist(actor, partial(runner.remove, item.id))


async def leave(actor: TaskActor, task: Task, call: RemoveTask) -> RemoveTask:
    """Bring home what an earlier import could not; with `purge` delete what only the task used.

    Returns:
        the call that it has carried out.

    Raises:
        Refused: its commits would be lost.
    """
    services = actor.services
    work = await import_work(actor, task)
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
