"""The way in: what listens here is told to the gateway, which says what it wants to reach.

This side dials, always: a socket that the task made, or a link in its place, could lead whoever
dials it from outside to something of his own machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from network.joining import join, reach
from network.listening import Port, listening

_LOOK_SECONDS = 1.0
"""Between two looks at what listens; the kernel does not say when that changes."""
_AGAIN_SECONDS = 1.0
_LINE = 1 << 12
_OPENING = 128
"""Connections that are opened at the same time."""
_CONNECT_SECONDS = 5.0


class WayIn:
    """The connection on which both sides say what there is and what is wanted."""

    def __init__(
        self,
        gateway: Path,
        ours: Callable[[], Iterable[socket.socket]],
        tables: Path = Path("/proc/net"),
    ) -> None:
        self._gateway = gateway
        self._ours = ours
        self._tables = tables
        self._opening: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keep the connection for ever."""
        while True:
            with contextlib.suppress(OSError), await reach(self._gateway, 1) as control:
                await self._talk(control)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _talk(self, control: socket.socket) -> None:
        await _tell(control, {"ctui": 1, "kind": "control"})
        telling = asyncio.ensure_future(self._tell_ports(control))
        hearing = asyncio.ensure_future(self._hear(control))
        try:
            await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, hearing):
                task.cancel()
            await asyncio.gather(telling, hearing, return_exceptions=True)

    async def _tell_ports(self, control: socket.socket) -> None:
        told: list[Port] | None = None
        while True:
            now = self._listening()
            if now != told:
                await _tell(control, {"ports": [one._asdict() for one in now]})
                told = now
            await asyncio.sleep(_LOOK_SECONDS)

    def _listening(self) -> list[Port]:
        ours = {os.fstat(one.fileno()).st_ino for one in self._ours()}
        return listening(self._tables, ours)

    async def _hear(self, control: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        heard = b""
        while data := await loop.sock_recv(control, _LINE):
            *lines, heard = (heard + data).split(b"\n")
            for line in lines:
                self._open(json.loads(line))
            if len(heard) > _LINE:
                return

    def _open(self, wanted: Any) -> None:
        if not isinstance(wanted, dict) or len(self._opening) >= _OPENING:
            return
        task = asyncio.ensure_future(self._come(str(wanted.get("open")), wanted.get("port")))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _come(self, ident: str, port: object) -> None:
        """Bring a connection to a port of this task to the gateway."""
        with contextlib.suppress(OSError):
            there = await self._reach_port(port)
            with await reach(self._gateway, 1) as gateway:
                came = {"ctui": 1, "kind": "open", "id": ident, "ok": there is not None}
                await _tell(gateway, came)
                if there is not None:
                    with there:
                        await join(gateway, there)

    async def _reach_port(self, port: object) -> socket.socket | None:
        address = next((one.address for one in self._listening() if one.port == port), None)
        if address is None or not isinstance(port, int):
            return None
        there = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        there.setblocking(False)
        try:
            there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(_CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(there, (address, port))
        except (OSError, TimeoutError):
            there.close()
            return None
        return there


async def _tell(connection: socket.socket, what: dict[str, Any]) -> None:
    line = json.dumps(what, separators=(",", ":")).encode() + b"\n"
    await asyncio.get_running_loop().sock_sendall(connection, line)
