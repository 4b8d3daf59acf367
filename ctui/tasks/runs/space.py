"""The floor of free space: one watch for all tasks, once a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from ctui.config import parse_size
from ctui.errors import CtuiError
from ctui.tasks.mailbox.mail import Space
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.runs.actor import TaskActor
from ctui.tasks.runs.disks.limits import settings_now, space_text
from ctui.tasks.runs.disks.watching import needs_space
from ctui.tasks.runs.jobs.look import least_free

log = logging.getLogger(__name__)

_SECONDS = 1.0
_ENOUGH = 1.1
"""Of the floor: so much must be left before what was paused goes on."""


class SpaceWatch:
    """Watch on the disks of live tasks, which tells those that must pause or may go on."""

    def __init__(self, services: Services, actors: Callable[[], Iterable[TaskActor]]) -> None:
        self._services = services
        self._actors = actors
        self._job: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Watch for as long as a task may be writing something."""
        if self._job is None or self._job.done():
            self._job = asyncio.create_task(self._watch(), name="free space")

    def close(self) -> None:
        """Watch no more."""
        if self._job is not None:
            self._job.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            concerned = [actor for actor in self._actors() if needs_space(actor.standing)]
            if not concerned:
                return
            # A disk that does not answer holds up the next look, and nothing else.
            await self._look(concerned)

    async def _look(self, actors: list[TaskActor]) -> None:
        settings = settings_now(self._services)
        for actor in actors:
            config = actor.standing.config or settings
            try:
                floor = parse_size(config.tasks.free_space)
                free, folder = await least_free(self._services, actor.standing.task)
            except (OSError, CtuiError) as error:
                log.warning("the free space for %s is not known: %s", actor.id, error)
                continue
            if not needs_space(actor.standing):
                continue
            paused = actor.standing.task.paused
            if free < floor and not paused:
                actor.put(Space(space_text(folder, config.tasks.free_space)))
            elif free >= floor * _ENOUGH and paused == "space":
                actor.put(Space(""))
