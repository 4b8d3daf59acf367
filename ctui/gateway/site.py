"""All sockets of one run, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import uvicorn

from ctui.gateway.api.place import Held, Place
from ctui.gateway.api.server import ApiServer
from ctui.gateway.asks import Asks
from ctui.gateway.books.books import Books
from ctui.gateway.books.rows import RequestRow
from ctui.gateway.egress.opened.authority import Authority
from ctui.gateway.egress.opened.tunnel import Opener
from ctui.gateway.egress.policy import Attempt, Record
from ctui.gateway.egress.proxy import EgressServer
from ctui.gateway.egress.upstream import Upstreams
from ctui.gateway.model import (
    API_SOCKET,
    EGRESS_SOCKET,
    PORTS_SOCKET,
    Access,
    FromGateway,
    Listening,
)
from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.ssh.agent import SshAgent
from ctui.gateway.ssh.files import AGENT_SOCKET
from ctui.gateway.trust import trusted_tunnels


class Parts(NamedTuple):
    """Parts that all sites share."""

    config: uvicorn.Config
    books: Books
    asks: Asks
    held: Held
    proxies: Upstreams
    authority: Authority
    own_ports: Collection[int]
    tell: Callable[[FromGateway], object]


class Site:
    """A run's sockets, which stay while what they let through changes."""

    def __init__(self, parts: Parts, access: Access) -> None:
        self._parts = parts
        folder = Path(access.folder)
        self.place = Place(access, parts.held, parts.tell)
        self._api = ApiServer(folder / API_SOCKET, parts.config, self.place)
        self._egress = EgressServer(
            folder / EGRESS_SOCKET,
            lambda: self.place.access.egress,
            self._ask,
            self._record,
            credentials=lambda: self.place.access.credentials,
            opener=Opener(parts.authority, lambda: trusted_tunnels(self.place.access.ca_file)),
            upstreams=parts.proxies,
            own_ports=parts.own_ports,
        )
        self._agent = SshAgent(
            folder / AGENT_SOCKET,
            lambda: self.place.access.keys,
            self._ask,
            self._record,
            lambda: self.place.access.egress,
        )
        self.hub = PortsHub(folder / PORTS_SOCKET, self._listens)

    async def open(self) -> None:
        """Listen on all of them, or on none.

        Raises:
            Unavailable: a socket cannot be made.
        """
        try:
            await self._api.start()
            await self._egress.start()
            await self.hub.start()
            if self.place.access.keys:
                await self._agent.start()
        except BaseException:  # whatever it was: nobody else would close them
            await self.close()
            raise

    def change(self, access: Access) -> None:
        """Let through what an access says from now on; what it denies is cut off."""
        self.place.access = access.known_from(self.place.access)
        self._egress.recheck()

    async def close(self) -> None:
        """Cut off everything that is open, and remove the sockets."""
        await self._api.close()
        await self._egress.close()
        await self.hub.close()
        await self._agent.close()

    @property
    def listening(self) -> Listening:
        return Listening(self.place.access.label, self.hub.ports)

    def _listens(self) -> None:
        self._parts.tell(self.listening)

    async def _ask(self, attempt: Attempt) -> bool:
        return await self._parts.asks.ask(self.place.access, attempt)

    def _record(self, record: Record) -> None:
        access = self.place.access
        if record.anomaly:
            self.place.anomaly("host", record.anomaly)  # each is in the books
        recorded = self._parts.books.record(
            RequestRow(
                key=record.key,
                at=int(record.at * 1e9),
                run=access.run,
                task=access.task,
                host=record.host,
                port=record.port,
                verdict=record.verdict,
                rule=record.rule,
                credential=record.credential,
                up=record.up,
                down=record.down,
                anomaly=record.anomaly,
                over=record.over,
            )
        )
        if not recorded:
            self.place.anomaly("books", "it asks for hosts more quickly than can be written down")
