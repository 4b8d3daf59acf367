"""The job that makes a sandbox in which no CLI is started, for a person's shell."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ctui.errors import CtuiError
from ctui.tasks.mailbox.open_shells import Opened
from ctui.tasks.runs.jobs.services import bring_up
from ctui.tasks.runs.launch import prepare

if TYPE_CHECKING:
    from ctui.tasks.mailbox.step import Standing
    from ctui.tasks.runs.actor import TaskActor

_SECONDS = 120.0


async def open_sandbox(actor: TaskActor, standing: Standing) -> Opened:
    """Make the sandbox that the task's next run would have, and tell its relay nothing.

    Its relay waits for the first line, with which that run can begin in it. Where it fails, or is
    cancelled, something may be left: whoever gave the job removes that.

    Raises:
        CtuiError: what is missing.
    """
    services, task = actor.services, standing.task
    account = None
    with suppress(CtuiError):  # a shell needs no login; the address that belongs to one is wanted
        account = await services.logins.of(task, needed=False)
    config = standing.config or services.config()
    launch = await prepare(services, config, task, account)
    if launch.sealed is not None:
        await services.network.open(launch.sealed)
    await bring_up(actor, launch.spec)
    async with asyncio.timeout(_SECONDS):
        # What a runner has begun it ends: nobody would know the sandbox that it makes afterwards.
        making = asyncio.ensure_future(services.runner.create(launch.spec))
        try:
            sandbox = await asyncio.shield(making)
        except asyncio.CancelledError:
            with suppress(CtuiError):
                await making
            raise
        await services.runner.start(sandbox)
    return Opened(sandbox, launch.spec)
