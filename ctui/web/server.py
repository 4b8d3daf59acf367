"""uvicorn with an end to its patience: time limits for what clients send and take."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ctui.web.listen import Listening
from ctui.web.shapes import Failure

HEAD_SECONDS = 10.0
"""From the connection, or the end of the last response, to the end of a request's head."""

BODY_SECONDS = 60.0
"""For a request's body, of 9 MB at most."""

STALL_SECONDS = 30.0
"""That a client may take nothing of what waits for it."""

MOST_CONNECTIONS = 512
_KEEP_ALIVE_SECONDS = 5
_GRACE_SECONDS = 1
_MOST_HEAD_BYTES = 1 << 16
_MOST_MESSAGE_BYTES = 1 << 18
"""Of a message on a socket: nothing larger is ever held."""


class PatientProtocol(H11Protocol):
    """One connection, closed when its client takes too long over anything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._awaited: tuple[str, object] = ("", None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        found = transport.get_extra_info("socket")
        if found is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            # A client whose cable was pulled says nothing; the system would wait for 15 minutes.
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(BODY_SECONDS * 1000))
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._set_deadline()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._set_deadline()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._cancel()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def send_400_response(self, msg: str) -> None:
        """Send it as every other error, in JSON."""
        body = msgspec.json.encode(Failure("this is no HTTP request", hint=msg))
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _set_deadline(self) -> None:
        """Begin to count when something else is awaited than before, not with every byte."""
        awaited = self._awaits()
        if awaited == self._awaited or self.transport.is_closing():
            return
        self._cancel()
        self._awaited = awaited
        seconds = {"head": HEAD_SECONDS, "body": BODY_SECONDS}.get(awaited[0])
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _awaits(self) -> tuple[str, object]:
        cycle = self.cycle
        if cycle is not None and cycle.more_body:
            return "body", cycle
        if cycle is not None and not cycle.response_complete:
            return "response", cycle
        return "head", cycle

    def _cancel(self) -> None:
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()


class _Server(uvicorn.Server):
    """Server that ends its streams first, so that nobody waits for them."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take a signal for a wish to end, and not for an error."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


async def serve(app: ASGIApp, listening: Listening, end_streams: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; what is open then has a second to end.

    Args:
        app: see `create_app`.
        listening: where.
        end_streams: called first when the server ends.
    """
    # It would log whole tracebacks, and each request's URL.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    tls = listening.tls
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        ws_max_size=_MOST_MESSAGE_BYTES,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
        ssl_context_factory=(lambda _config, _default: tls) if tls else None,
    )
    await _Server(config, end_streams).serve(sockets=[listening.socket])
