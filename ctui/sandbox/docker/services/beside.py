"""Everything that stands beside the sandboxes of one instance, as its runner knows it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

from ctui.errors import Conflict, CtuiError, NotFound
from ctui.sandbox.docker.engine import Engine, FoundContainer
from ctui.sandbox.docker.services.last_words import Keep, last_words
from ctui.sandbox.spec import HOLDER, LABEL_INSTANCE, LABEL_SERVICE, LABEL_TASK

log = logging.getLogger(__name__)


class _Service(NamedTuple):
    """A service's container."""

    task: str
    name: str


class Beside:
    """Services and holders of one instance."""

    def __init__(self, engine: Engine, instance: str, keep: Keep | None) -> None:
        """Begin with nothing known.

        Args:
            engine: that they are on.
            instance: whose they are.
            keep: takes the end of a service's log before that is removed.
        """
        self._engine = engine
        self._instance = instance
        self._keep = keep
        self._services: dict[str, _Service] = {}

    def note(self, found: Iterable[FoundContainer]) -> None:
        """Remember which containers are services, so that their log is kept when they go."""
        for one in found:
            name = one.labels.get(LABEL_SERVICE, "")
            if name and name != HOLDER:
                self._services[one.id] = _Service(one.labels.get(LABEL_TASK, ""), name)

    async def leaving(self, container: str) -> None:
        """Keep the end of a service's log; what cannot be kept stands in no removal's way."""
        service = self._services.pop(container, None)
        if service is None or self._keep is None:
            return
        try:
            self._keep(*service, await last_words(self._engine.endpoint, container))
        except (CtuiError, OSError) as error:
            log.warning("the log of %s's %s is not kept: %s", *service, error)

    async def of(self, sandbox: str) -> list[FoundContainer]:
        """Return the services that stand beside a sandbox."""
        task = (await self._engine.state(sandbox)).labels.get(LABEL_TASK, "")
        if not task:
            return []
        own = {LABEL_INSTANCE: self._instance, LABEL_TASK: task, LABEL_SERVICE: ""}
        found = await self._engine.find(own)
        return [one for one in found if one.labels.get(LABEL_SERVICE) not in {"", HOLDER}]

    async def freeze(self, sandbox: str, *, frozen: bool) -> None:
        """Freeze the services beside a sandbox, or let them go on."""
        call = self._engine.pause if frozen else self._engine.unpause
        for one in await self.of(sandbox):
            try:
                await call(one.id)
            except (NotFound, Conflict):
                continue
