"""One page and its program: from the first message to the end of either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from ctui.web.browser import messages
from ctui.web.browser.messages import Ended, Hello, Message, Resized, Seen, Typed
from ctui.web.browser.sessions import Session
from ctui.web.browser.terminal import Size, Stuck, Terminal

WINDOW = 1 << 18
"""Bytes of output that a page has not seen yet; the program waits when there are more."""

_HELLO_SECONDS = 10.0
_LOOK_SECONDS = 5.0
"""Between two looks at whether the session still holds."""

# Private codes (RFC 6455, 7.4.2), which the page turns into words.
CODE_BAD_MESSAGE = 4400
CODE_LOGGED_OUT = 4401
CODE_STUCK = 4408
CODE_FULL = 4429
_CODE_NORMAL = 1000


class Connection:
    """A socket that was accepted."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._unseen = 0
        self._room = asyncio.Event()
        self._room.set()

    async def hello(self, session: Session) -> Size | None:
        """Return the size that the first message tells; close the socket if it is a wrong one."""
        said = None
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(_HELLO_SECONDS):
                said = await self._receive()
        if not isinstance(said, Hello):
            await self.close(CODE_BAD_MESSAGE)
        elif not session.has_key(said.key):
            await self.close(CODE_LOGGED_OUT)
        else:
            return Size(said.columns, said.rows)
        return None

    async def run(
        self, terminal: Terminal, session: Session, holds: Callable[[Session], bool]
    ) -> None:
        """Carry to and fro until the page goes, the program ends or the session is over.

        The terminal is left to the caller, who ends it.
        """
        jobs = [
            asyncio.create_task(job)
            for job in (self._watch(session, holds), self._show(terminal), self._obey(terminal))
        ]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
        with suppress(WebSocketDisconnect):
            await self.close(next(iter(done)).result())

    async def say(self, said: Ended) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # it has gone
            await self._socket.send_text(msgspec.json.encode(said).decode())

    async def close(self, code: int) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code)

    async def _watch(self, session: Session, holds: Callable[[Session], bool]) -> int:
        """Wait until the session is over. Each of these three gives the code to close with."""
        while holds(session):
            with suppress(TimeoutError):
                await asyncio.wait_for(session.over.wait(), _LOOK_SECONDS)
        return CODE_LOGGED_OUT

    async def _show(self, terminal: Terminal) -> int:
        while data := await terminal.read():
            await self._socket.send_bytes(data)
            self._unseen += len(data)
            if self._unseen >= WINDOW:
                self._room.clear()
                await self._room.wait()
        await self.say(Ended(await terminal.end()))
        return _CODE_NORMAL

    async def _obey(self, terminal: Terminal) -> int:
        while True:
            match await self._receive():
                case Typed(text):
                    try:
                        await terminal.write(text.encode("utf-8", "replace"))
                    except Stuck:
                        return CODE_STUCK
                case Resized(columns, rows):
                    terminal.resize(Size(columns, rows))
                case Seen(count):
                    self._unseen = max(0, self._unseen - count)
                    if self._unseen < WINDOW:
                        self._room.set()
                case _:
                    return CODE_BAD_MESSAGE

    async def _receive(self) -> Message | None:
        """Return the next message, or None if it is none of ours.

        Raises:
            WebSocketDisconnect: the page has gone.
        """
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", _CODE_NORMAL))
        return messages.parse(received.get("text") or "")
