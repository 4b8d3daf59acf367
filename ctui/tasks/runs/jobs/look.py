"""Jobs that look at a run that goes on: its sandbox, what it committed, what it takes of disks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from ctui.sandbox.runner import SandboxState
from ctui.tasks.disk_usage import Usage
from ctui.tasks.model import Task, WorkState
from ctui.tasks.runs.failures import as_error
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.tasks.mailbox.ports import Services
    from ctui.tasks.runs.actor import TaskActor

log = logging.getLogger(__name__)

_ERROR_WIDTH = 200


class Measured(NamedTuple):
    """Disk space that a run takes, and that the disks have left."""

    usage: Usage
    free: int | None
    """Bytes; None where that is not known."""
    folder: str
    """On the disk that has the least left."""


async def look(actor: TaskActor, sandbox: str) -> SandboxState | None:
    """Return how a silent sandbox is."""
    return await actor.services.runner.state(sandbox)


async def import_work(actor: TaskActor, task: Task) -> WorkState | None:
    """Import what the task committed; whatever fails in that is a part of the result.

    A sandbox is removed behind this, and a task's directory is hostile: no error of an import may
    keep it.
    """
    try:
        return await actor.services.workspace.collect(task)
    except Exception as error:  # no import may stand before the removal of a sandbox
        log.warning("the commits of %s cannot be imported", task.id, exc_info=True)
        what = one_line(as_error(error).message, _ERROR_WIDTH)
        return WorkState(problem=f"its commits cannot be imported: {what}")


async def refresh(actor: TaskActor, task: Task) -> None:
    """Bring what is new in the repository to a task whose turn begins."""
    await actor.services.workspace.refresh(task)


async def bring_home(actor: TaskActor, task: Task) -> tuple[WorkState | None, str]:
    """Import what the task committed; also what is wrong with its folders."""
    return await import_work(actor, task), await actor.services.workspace.trouble(task)


async def measure(actor: TaskActor, task: Task, files: int) -> Measured:
    """Look at what the task's run can write."""
    usage = await actor.services.workspace.usage(task, files)
    return Measured(usage, *await least_free(actor.services, task))


async def least_free(services: Services, task: Task) -> tuple[int, str]:
    """Return what is left of the fullest disk that the task's run writes to, and a folder on it."""
    of_task = await services.workspace.free_space(task)
    return min(of_task, await services.runner.free_space() or of_task)
