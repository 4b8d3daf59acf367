"""Calls of the runner that are made again until they succeed, while the task says why it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from ctui.errors import CtuiError, ExternalFailure, Unavailable

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor

T = TypeVar("T")

PASSING = (Unavailable, ExternalFailure)
"""Errors that a runner gives for what exists, and may not give the next time."""
RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 2.0


async def insist(
    actor: TaskActor,
    call: Callable[[], Awaitable[T]],
    *,
    on: tuple[type[CtuiError], ...] = (CtuiError,),
) -> T:
    """Do what has to be done again and again, until it raises none of these errors."""
    tries = 0
    while True:
        try:
            result = await call()
        except on as error:
            tries += 1
            await wait(actor, error, tries)
        else:
            if tries:
                actor.around.trouble_over(actor)
            return result


async def wait(actor: TaskActor, error: CtuiError, tries: int = 1) -> None:
    """Say what is wrong, the first time, and wait a moment."""
    if tries == 1:
        actor.around.tell_trouble(actor, error)
    await asyncio.sleep(min(RETRY_SECONDS * 2 ** min(tries - 1, 9), _LONGEST_RETRY_SECONDS))
