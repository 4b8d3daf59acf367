"""The job that has the services of a task ready before its sandbox is made."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ctui.errors import CtuiError
from ctui.tasks.model import Notice

if TYPE_CHECKING:
    from ctui.sandbox.spec import SandboxSpec
    from ctui.tasks.runs.actor import TaskActor


async def bring_up(actor: TaskActor, spec: SandboxSpec) -> None:
    """Start what a sandbox needs beside it; a task without services has nothing to wait for.

    A sandbox that a driver left, which nobody has taken over yet, goes first: its network is that
    of the services. Where it fails, or is cancelled, some may be left: whoever gave the job closes
    the task.

    Raises:
        CtuiError: which service is not ready, and where its log is.
    """
    if not spec.services:
        return
    runner = actor.services.runner
    for left in await runner.list_ours(actor.id):
        if not left.service:
            await runner.remove(left.id)
    names = ", ".join(one.name for one in spec.services)
    notice = Notice(kind="environment", text=f"its services are started: {names}")
    actor.note(0, actor.services.now(), notice)
    making = asyncio.ensure_future(runner.ensure_services(spec))
    try:
        await asyncio.shield(making)
    except asyncio.CancelledError:
        making.cancel()
        # What a runner has begun it ends: nobody would know what it makes afterwards.
        with suppress(asyncio.CancelledError, CtuiError):
            await making
        raise
