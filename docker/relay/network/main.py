"""The program: everything that a task finds on its loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from network.way_in import WayIn
from network.way_out import Names, Proxy, Service

PROXY = ("127.0.0.1", 3128)
RESOLVER = ("127.0.0.1", 53)
PORTS = (80, 443, 22)
"""Ports of names for what knows of no proxy."""
_FILES = 8192


def main(folder: Path, ready: int | None = None, **instead: Any) -> None:
    """Offer what the sockets in a folder lead to, for ever.

    Args:
        folder: with `egress.sock`, `ports.sock`, and sockets of services that `network.json` names;
            `names.json` has the ports of hosts that somebody named.
        ready: a descriptor that is closed when everything answers.
        instead: other addresses than usual: `proxy`, `resolver`, `ports`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES <= hard or hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, _FILES), hard))
    asyncio.run(_Loopback(folder, **instead).run(ready))


class _Loopback:
    def __init__(
        self,
        folder: Path,
        *,
        proxy: tuple[str, int] = PROXY,
        resolver: tuple[str, int] = RESOLVER,
        ports: tuple[int, ...] = PORTS,
    ) -> None:
        self._folder = folder
        self._proxy = proxy
        self._resolver = resolver
        self._ports = ports
        self._parts: list[Proxy | Service | Names] = []

    async def run(self, ready: int | None) -> None:
        egress = self._folder / "egress.sock"
        # What a program of the task has taken is not offered; the rest is.
        with contextlib.suppress(OSError):
            self._parts.append(Proxy(egress, self._proxy))
        names = Names(egress, self._named_ports)
        with contextlib.suppress(OSError):
            await names.start(self._resolver)
            self._parts.append(names)
        for one in _services(_said(self._folder / "network.json").get("services")):
            with contextlib.suppress(OSError, ValueError, KeyError):
                path = self._folder / Path(str(one["socket"])).name
                self._parts.append(Service(path, (str(one["address"]), int(one["port"]))))
        if ready is not None:
            os.close(ready)
        await WayIn(self._folder / "ports.sock", self._sockets).run()

    def _named_ports(self) -> tuple[int, ...]:
        """Return the ports of names: the usual ones, and those of hosts that somebody named."""
        named = _numbers(_said(self._folder / "names.json").get("ports"))
        return tuple(dict.fromkeys((*self._ports, *named)))

    def _sockets(self) -> Iterator[socket.socket]:
        for part in self._parts:
            yield from part.sockets()


def _said(file: Path) -> dict[str, Any]:
    """Return what a file of the gateway says; nothing where there is none."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        value = json.loads(file.read_bytes()[: 1 << 16])
        if isinstance(value, dict):
            return value
    return {}


def _numbers(value: object) -> Iterator[int]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, int) and 0 < one < 1 << 16:
            yield one


def _services(value: object) -> Iterator[dict[str, Any]]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            yield one
