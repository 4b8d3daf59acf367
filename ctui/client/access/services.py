"""Services of a task as a front end shows them: how they are, and what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from ctui.errors import CtuiError, NotFound
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.sandbox.docker.services.listing import services_of
from ctui.sandbox.docker.stream import follow_log
from ctui.tasks.journal.service_logs import kept_service_log
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.paths import Paths
    from ctui.tasks.model import Task


class ShownService(msgspec.Struct, frozen=True):
    """A service of a task."""

    name: str
    image: str
    state: str
    """The engine's word, such as `running`, `exited` or `paused`; `asleep` where it is not there,
    `unknown` where no engine answers."""
    status: str = ""
    """The same with its exit code and time, as the engine says it."""


async def shown_services(paths: Paths, task: Task) -> list[ShownService]:
    """Return how the services of a task are now."""
    if not task.options.services:
        return []
    try:
        found = await services_of(resolve_endpoint(), paths.instance, task.id)
    except CtuiError:
        return [ShownService(one.name, one.image, "unknown") for one in task.options.services]
    there = {one.name: one for one in found}
    return [
        ShownService(one.name, one.image, there[one.name].state, there[one.name].status)
        if one.name in there
        else ShownService(one.name, one.image, "asleep")
        for one in task.options.services
    ]


async def service_log(
    paths: Paths, task: Task, name: str, *, follow: bool = False
) -> AsyncIterator[bytes]:
    """Yield the lines of a service's log; where it is gone, the last ones, which were kept.

    Raises:
        NotFound: the task has no such service, or it never ran.
        Unavailable: no engine answers, and nothing was kept.
    """
    names = [one.name for one in task.options.services]
    if name not in names:
        hint = f"it has: {', '.join(names)}" if names else "its environment defines none"
        raise NotFound(f"{task.id} has no service {one_line(name)}", hint=hint)
    kept = kept_service_log(paths, task.id, name)
    endpoint = resolve_endpoint()
    try:
        found = await services_of(endpoint, paths.instance, task.id)
    except CtuiError:
        if kept is None:
            raise
        found = []
    container = next((one.container for one in found if one.name == name), None)
    if container is not None:
        async for batch in follow_log(endpoint, container, follow=follow):
            for line in batch:
                yield line.data
    elif kept is not None:
        for one in kept.splitlines():
            yield one
    else:
        raise NotFound(
            f"the service {name} of {task.id} has said nothing yet",
            hint=f"it runs while {task.id} has a sandbox",
        )
