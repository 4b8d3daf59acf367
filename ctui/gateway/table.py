"""The driver's table carried out: what is new in it opens, what has gone from it closes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ctui.errors import CtuiError
from ctui.gateway.logins import Logins
from ctui.gateway.model import Access, Serve, Served
from ctui.gateway.openings import Openings
from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.site import Site

log = logging.getLogger(__name__)


class Table:
    """All runs that are served."""

    def __init__(self, logins: Logins, openings: Openings, make: Callable[[Access], Site]) -> None:
        openings.hub_of = self.hub
        self.openings = openings
        self._logins = logins
        self._make = make
        self._sites: dict[str, Site] = {}
        self._turn = asyncio.Lock()

    @property
    def sites(self) -> list[Site]:
        return list(self._sites.values())

    async def serve(self, table: Serve) -> Served:
        """Make everything as a table says; each run that cannot be served is named."""
        problems: dict[str, str] = {}
        async with self._turn:
            self._logins.push(table.logins, {access.login for access in table.accesses})
            wanted = {access.run: access for access in table.accesses}
            for run in self._sites.keys() - wanted.keys():
                await self._close(run)
            for run, access in wanted.items():
                try:
                    await self._one(access)
                except CtuiError as error:
                    problems[run] = error.one_line()
            if problem := await self.openings.show(table.gate, table.elsewhere):
                problems[""] = problem
        return Served(table.number, problems)

    def hub(self, label: str) -> PortsHub | None:
        """Return the ports of the task with this label, if it runs."""
        found = [site for site in self._sites.values() if site.place.access.label == label]
        return found[-1].hub if found else None

    async def close(self) -> None:
        """Close everything."""
        async with self._turn:
            for run in list(self._sites):
                await self._close(run)
            await self.openings.close()

    async def _one(self, access: Access) -> None:
        site = self._sites.get(access.run)
        if site is not None and site.place.access.folder != access.folder:
            await self._close(access.run)
            site = None
        if site is not None:
            site.change(access)
            return
        # Unlike a run, its folder's sockets may be there: those of a process that was killed.
        site = self._make(access)
        await site.open()
        self._sites[access.run] = site
        log.info("%s is served", access.run)

    async def _close(self, run: str) -> None:
        await self._sites.pop(run).close()
        log.info("%s is closed", run)
