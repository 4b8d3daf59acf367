"""Sandboxes that an earlier driver left, and that no run is on record for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Container

from ctui.errors import CtuiError
from ctui.sandbox.runner import NOTHING, FoundSandbox
from ctui.tasks.mailbox.mail import Sweep
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.model import Task

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 10.0


async def left_behind(
    services: Services, at_work: Container[str]
) -> AsyncIterator[tuple[Task, Sweep]]:
    """Yield the tasks that have a sandbox of which nobody knows, with what they are told.

    Args:
        services: the runner, which is asked until it answers, and the store.
        at_work: ids of the tasks that see to their sandboxes themselves.
    """
    store = services.store
    while True:
        try:
            found = await services.runner.list_ours()
            open_runs = {(run.task, run.number) for run in store.runs.open()}
            known = store.tasks.ids()
            break
        except CtuiError as error:
            log.warning("nothing is swept yet: %s", error.message)
            await asyncio.sleep(_AGAIN_SECONDS)
    for sandbox in _without_followers(found, {task for task, _ in open_runs}):
        if (sandbox.task, sandbox.run) in open_runs or sandbox.task in at_work:
            continue
        if sandbox.task not in known:
            log.warning("a sandbox of an unknown task %s runs: see ctui doctor", sandbox.task)
            continue
        try:
            task = store.tasks.get(sandbox.task, removed=True)
        except CtuiError as error:  # one bad record hides no other
            log.warning("a sandbox of %s is not swept: %s", sandbox.task, error.one_line())
        else:
            silent = await _is_open(services, sandbox)
            log.warning("a sandbox of %s was left: %s", sandbox.task, silent or "removed")
            yield task, Sweep(silent=silent)


async def _is_open(services: Services, sandbox: FoundSandbox) -> str:
    """Return a sandbox in which no CLI was started yet, for a person's shell; else ""."""
    last = services.store.runs.last(sandbox.task)
    if sandbox.service or not sandbox.running or last is None:
        return ""
    if sandbox.run != last.number + 1:
        return ""
    try:
        async for batch in services.runner.journal(sandbox.id, NOTHING, follow=False):
            if batch:
                return ""
    except CtuiError:
        return ""
    return sandbox.id


def _without_followers(found: list[FoundSandbox], live: set[str]) -> list[FoundSandbox]:
    """Return the sandboxes, and of services one for each task that has nothing else.

    Args:
        found: all of them.
        live: tasks with an open run, which sees to its services.
    """
    boxes = [one for one in found if not one.service]
    seen = {one.task for one in boxes} | live
    alone = {one.task: one for one in found if one.service and one.task not in seen}
    return [*boxes, *alone.values()]
