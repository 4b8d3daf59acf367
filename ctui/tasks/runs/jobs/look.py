"""Jobs that look at a run that goes on: its sandbox, what it committed, what it takes of disks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ctui.sandbox.runner import SandboxState
from ctui.tasks.disk_usage import Usage
from ctui.tasks.model import Task, WorkState

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor


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


async def bring_home(actor: TaskActor, task: Task) -> tuple[WorkState | None, str]:
    """Import what the task committed; also what is wrong with its folders."""
    workspace = actor.services.workspace
    return await workspace.collect(task), await workspace.trouble(task)


async def measure(actor: TaskActor, task: Task, files: int) -> Measured:
    """Look at what the task's run can write."""
    workspace = actor.services.workspace
    return Measured(await workspace.usage(task, files), *await workspace.free_space(task))
