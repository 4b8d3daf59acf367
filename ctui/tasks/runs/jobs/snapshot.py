"""Jobs that keep a task's files as they are: at the end of a turn, and before the next one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ctui.tasks.model import Task
from ctui.tasks.runs.failures import as_error
from ctui.tasks.turn import TurnFiles
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor

log = logging.getLogger(__name__)

_SECONDS = 120.0
"""Then the task goes on without: a task can make its worktree slow to read."""
_ERROR_WIDTH = 200


async def snapshot(actor: TaskActor, task: Task, turn: int, *, at_end: bool) -> TurnFiles:
    """Keep the files of a task; whatever fails in that is a part of the result."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await actor.services.workspace.snapshot(task, turn, at_end=at_end)
    except Exception as error:  # nothing of it may stand in the way of a turn, or of an end
        if isinstance(error, TimeoutError):
            what = f"it took more than {_SECONDS:g} s"
        else:
            log.warning("no snapshot of %s", task.id, exc_info=True)
            what = one_line(as_error(error).message, _ERROR_WIDTH)
        problem = f"its files were not kept: {what}"
        return TurnFiles(turn=turn, at_end=at_end, problem=problem)
