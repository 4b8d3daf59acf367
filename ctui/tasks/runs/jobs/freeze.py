"""The job that freezes a sandbox, or lets it go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ctui.errors import ExternalFailure, RunnerUnavailable
from ctui.tasks.runs.jobs.patience import RETRY_SECONDS, insist

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor

_FREEZE_TRIES = 10


async def freeze(actor: TaskActor, sandbox: str, *, frozen: bool) -> bool:
    """Freeze the sandbox or let it go on, as soon as the runner answers; return `frozen`.

    Raises:
        CtuiError: the runner cannot. A busy machine takes some tries.
    """
    runner = actor.services.runner
    call = runner.pause if frozen else runner.unpause
    for left in reversed(range(_FREEZE_TRIES)):
        try:
            await insist(actor, lambda: call(sandbox), on=(RunnerUnavailable,))
            break
        except ExternalFailure:
            if not left:
                raise
            await asyncio.sleep(RETRY_SECONDS)
    return frozen
