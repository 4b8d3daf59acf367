"""The way into one run: what listens there, and connections to it, all dialled by the task's side.

Lines are JSON objects. The task's side says of each connection what it is for:

    {"ctui": 1, "kind": "control"}
        Then it tells `{"ports": [{"port": 3000}]}`, all of them whenever they have changed, and
        hears `{"open": "<id>", "port": 3000}`.
    {"ctui": 1, "kind": "open", "id": "<id>", "ok": true}
        Then come the port's own bytes; `ok` is false where nothing listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from ctui.errors import NotFound, Unavailable
from ctui.gateway.sockets import Acceptor, listen_unix

OPEN_SECONDS = 10.0
"""Seconds for the task's side to bring a connection."""
_CONNECTIONS = 512
"""Of one run at the same time."""
_LINE = 1 << 15
"""Bytes of a line; one with 256 ports has 12,000."""
_FIRST_SECONDS = 5.0
"""Seconds for a connection to say what it is for."""
_PAUSE = 0.1
"""Seconds between two lines of one task: whoever says more is heard later."""


class _Hello(msgspec.Struct, frozen=True):
    ctui: int
    kind: str
    id: str = ""
    ok: bool = False


class _Port(msgspec.Struct, frozen=True):
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]


class _Told(msgspec.Struct, frozen=True):
    ports: Annotated[tuple[_Port, ...], msgspec.Meta(max_length=256)]


class PortsHub:
    """The ports of one run.

    Attributes:
        ports: what listens there by the task's own word, in order; none while it says nothing.
    """

    def __init__(
        self, path: Path, changed: Callable[[], None], *, patience: float = OPEN_SECONDS
    ) -> None:
        """Serve at `path`, and call `changed` whenever `ports` is another.

        `patience` is how many seconds a connection to a port may take to come.
        """
        self.ports: tuple[int, ...] = ()
        self._path = path
        self._changed = changed
        self._patience = patience
        self._acceptor: Acceptor | None = None
        self._control: socket.socket | None = None
        self._telling: asyncio.TimerHandle | None = None
        self._told = 0.0
        self._saying = asyncio.Lock()
        self._wanted: dict[str, asyncio.Future[socket.socket | None]] = {}

    async def start(self) -> None:
        """Make the socket and serve.

        Raises:
            Unavailable: the socket cannot be made.
        """
        self._acceptor = Acceptor(listen_unix(self._path), self._serve, limit=_CONNECTIONS)

    async def close(self) -> None:
        """Remove the socket, and cut every connection."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        if self._acceptor is not None:
            await self._acceptor.close()
        if self._telling is not None:
            self._telling.cancel()
            self._tell()

    async def open(self, port: int) -> socket.socket:
        """Return a connection to a port of the task, which the caller closes.

        Raises:
            Unavailable: the task is not there, asleep or hung.
            NotFound: nothing listens there.
        """
        control = self._control
        if control is None:
            raise Unavailable("the task is not running", hint="send it a message, then try again")
        ident = secrets.token_hex(16)
        wanted: asyncio.Future[socket.socket | None]
        wanted = self._wanted[ident] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._patience):
                await self._say(control, {"open": ident, "port": port})
                found = await wanted
        except BaseException as error:
            if wanted.done() and not wanted.cancelled() and (late := wanted.result()):
                late.close()
            if isinstance(error, TimeoutError | OSError):
                hint = "try again in a moment"
                raise Unavailable("the task does not answer", hint=hint) from None
            raise
        finally:
            del self._wanted[ident]
        if found is None:
            hint = "start the server in the task, or name another port"
            raise NotFound(f"nothing listens on port {port} of the task", hint=hint)
        return found

    async def _say(self, control: socket.socket, what: dict[str, object]) -> None:
        line = msgspec.json.encode(what) + b"\n"
        async with self._saying:
            try:
                await asyncio.get_running_loop().sock_sendall(control, line)
            except BaseException:
                # Half a line may be said: the task's side is to begin anew.
                with contextlib.suppress(OSError):
                    control.shutdown(socket.SHUT_RDWR)
                raise

    # -- the task's side

    async def _serve(self, connection: socket.socket) -> None:
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                # Nothing but its line: what follows on an opened one is the port's.
                hello = msgspec.json.decode(await _short_line(connection), type=_Hello)
        except (TimeoutError, msgspec.MsgspecError, ValueError, RecursionError):
            return
        if hello.kind == "open":
            self._came(hello, connection)
        elif hello.kind == "control":
            await self._hear(connection)

    def _came(self, hello: _Hello, connection: socket.socket) -> None:
        wanted = self._wanted.get(hello.id)
        if wanted is not None and not wanted.done():
            ours = socket.socket(fileno=connection.detach()) if hello.ok else None
            if ours is not None:
                ours.setblocking(False)
            wanted.set_result(ours)

    async def _hear(self, control: socket.socket) -> None:
        """Hear what listens; the connection that came last is the one that counts."""
        self._control = control
        loop = asyncio.get_running_loop()
        heard = b""
        try:
            while data := await loop.sock_recv(control, _LINE):
                *lines, heard = (heard + data).split(b"\n")
                if lines and self._control is control:
                    self._take(msgspec.json.decode(lines[-1], type=_Told))
                if len(heard) > _LINE:
                    return
                await asyncio.sleep(_PAUSE)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass
        finally:
            if self._control is control:
                self._control = None
                self._set(())

    def _take(self, told: _Told) -> None:
        self._set(tuple(sorted({one.port for one in told.ports})))

    def _set(self, ports: tuple[int, ...]) -> None:
        if ports != self.ports:
            self.ports = ports
            if self._telling is None:
                loop = asyncio.get_running_loop()
                self._telling = loop.call_at(self._told + _PAUSE, self._tell)

    def _tell(self) -> None:
        """Say that they are others, on however many connections it was heard."""
        self._telling, self._told = None, asyncio.get_running_loop().time()
        self._changed()


async def _short_line(connection: socket.socket) -> bytes:
    """Return the first line, and leave in the socket what comes behind it.

    Raises:
        ValueError: there is none, or a long one.
    """
    loop = asyncio.get_running_loop()
    line = b""
    while not line.endswith(b"\n"):
        data = await loop.sock_recv(connection, 1)
        if not data or len(line) > 256:
            raise ValueError("no line")
        line += data
    return line
