"""Ports of tasks as the person reaches them: the one gate for browsers, and forwarded ports."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ctui.errors import CtuiError, NotFound
from ctui.files import create_file
from ctui.gateway.ports.forward import PortForward
from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.ports.view import PortView
from ctui.small_file import read_small_file

_SECRET_BYTES = 32


class Openings:
    """The gate, which moves when a table says another port, and every forwarded port."""

    hub_of: Callable[[str], PortsHub | None]
    """Returns the hub of the task with a label, or None; set by the table that has them."""

    def __init__(self, secret: Path, own_ports: set[int]) -> None:
        """Open nothing yet.

        Args:
            secret: file of what the gate's cookies are made with, so that they outlive a kill.
            own_ports: is given the gate's port, which no task may reach.
        """
        self._secret = secret
        self._own_ports = own_ports
        self._view: PortView | None = None
        self._shown = (0, "")
        self._problem = ""

    async def show(self, port: int, elsewhere: str) -> str:
        """Show ports at this port of the machine, and return why that cannot be; "" if it can.

        Args:
            port: of this machine; 0 shows none.
            elsewhere: domain below which other machines reach them, or "".
        """
        if (port, elsewhere) == self._shown and (self._view is not None) == bool(port):
            return ""
        await self.close()
        self._problem = await self._begin(port, elsewhere) if port else ""
        return self._problem

    async def _begin(self, port: int, elsewhere: str) -> str:
        try:
            view = PortView(port, self.hub_of, elsewhere=elsewhere, secret=_kept(self._secret))
            await view.start()
        except CtuiError as error:
            return error.one_line()
        except OSError as error:
            return f"{self._secret} cannot be used: {error.strerror}"
        self._view, self._shown = view, (port, elsewhere)
        self._own_ports.add(view.port)
        return ""

    def link(self, label: str, port: int, *, elsewhere: bool = False) -> str:
        """Return an address that opens a port once, also `elsewhere` where it may be one for that.

        Raises:
            NotFound: nothing listens there, or ports are not shown.
        """
        if self._view is None:
            why = self._problem or "network.ports is 0"
            raise NotFound(f"ports of tasks are not shown: {why}", hint="see docs/network.md")
        return self._view.link(label, port, elsewhere=elsewhere)

    async def forward(self, label: str, port: int, local: int) -> PortForward:
        """Return a local port that leads to a task's, which the caller closes.

        Raises:
            NotFound: the task does not run, or nothing listens there.
            Unavailable: another program has the local port.
        """
        hub = self.hub_of(label)
        if hub is None:
            raise NotFound("the task is not running", hint="send it a message, then try again")
        if port not in hub.ports:
            raise NotFound(
                f"nothing listens on port {port} of the task",
                hint=f"ports that listen: {', '.join(map(str, hub.ports)) or 'none'}",
            )
        forward = PortForward(hub, port, local)
        await forward.start()
        return forward

    async def close(self) -> None:
        """Close the gate."""
        if self._view is not None:
            await self._view.close()
        self._view, self._shown = None, (0, "")
        self._own_ports.clear()


def _kept(path: Path) -> bytes:
    with suppress(FileExistsError):
        create_file(path, os.urandom(_SECRET_BYTES))
    return read_small_file(path, _SECRET_BYTES, owner=os.getuid(), follow_links=False)
