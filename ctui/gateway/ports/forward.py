"""A port of this machine that leads to one of a task, whatever is spoken there, for one user."""

from __future__ import annotations

import contextlib
import socket

from ctui.errors import CtuiError
from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.ports.same_user import is_same_user
from ctui.gateway.pump import Pump
from ctui.gateway.sockets import Acceptor, listen_local

_CONNECTIONS = 128
_IDLE_SECONDS = 24 * 3600.0


class PortForward:
    """A local port for as long as it is wanted.

    Attributes:
        local: the port; known after `start`.
    """

    def __init__(self, hub: PortsHub, port: int, local: int = 0) -> None:
        """Lead from `local` of 127.0.0.1, or any that is free for 0, to a port of the hub's run."""
        self.local = local
        self._hub = hub
        self._port = port
        self._acceptor: Acceptor | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Unavailable: another program has the local port.
        """
        listener = listen_local(self.local)
        self.local = listener.getsockname()[1]
        self._acceptor = Acceptor(listener, self._serve, limit=_CONNECTIONS)

    async def close(self) -> None:
        """Listen no more, and cut every connection."""
        if self._acceptor is not None:
            await self._acceptor.close()

    async def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not is_same_user(connection):
            return
        with contextlib.suppress(CtuiError), await self._hub.open(self._port) as there:
            await Pump(connection, there, idle=_IDLE_SECONDS).run()
