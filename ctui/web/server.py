"""uvicorn as `ctui serve` runs it."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import uvicorn
from starlette.types import ASGIApp

from ctui.daemon.patience import Limits, PatientProtocol
from ctui.web.listen import Listening
from ctui.web.pages_of_tasks import PagesOfTasks
from ctui.web.shapes import Failure

HEAD_SECONDS = 10.0
"""From the connection, or the end of the last response, to the end of a request's head."""

BODY_SECONDS = 60.0
"""For a request's body, of 16 MB at most."""

STALL_SECONDS = 30.0
"""That a client may take nothing of what waits for it."""

MOST_CONNECTIONS = 512
_KEEP_ALIVE_SECONDS = 5
_GRACE_SECONDS = 1
_MOST_HEAD_BYTES = 1 << 16
_MOST_MESSAGE_BYTES = 1 << 18
"""Of a message on a socket: nothing larger is ever held."""


class _Protocol(PatientProtocol):
    """One connection of the API or the dashboard, unless it begins as one of a task's page."""

    pages: PagesOfTasks | None = None
    _begun: bytes | None = b""
    """Bytes of a head that is not whole yet; None once it is known whose connection it is."""

    def data_received(self, data: bytes) -> None:
        if self.pages is None or self._begun is None:
            super().data_received(data)
            return
        self._begun += data
        if b"\r\n\r\n" not in self._begun and len(self._begun) <= _MOST_HEAD_BYTES:
            return
        begun, self._begun = self._begun, None
        if not self.pages.means(begun):
            super().data_received(begun)
            return
        self._cancel()
        self.connections.discard(self)
        self.pages.take(self.transport, begun)

    def limits_now(self) -> Limits:
        return Limits(HEAD_SECONDS, BODY_SECONDS, STALL_SECONDS, MOST_CONNECTIONS)

    def bad_request(self, why: str) -> bytes:
        return msgspec.json.encode(Failure("this is no HTTP request", hint=why))


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


async def serve(
    app: ASGIApp,
    listening: Listening,
    end_streams: Callable[[], None],
    pages: PagesOfTasks | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; what is open then has a second to end.

    Args:
        app: see `create_app`.
        listening: where.
        end_streams: called first when the server ends.
        pages: of tasks, for browsers on other machines; None where there are none.
    """

    def end() -> None:
        end_streams()
        if pages is not None:
            pages.close()

    protocol = type("_Protocol", (_Protocol,), {"pages": pages})
    # It would log whole tracebacks, and each request's URL.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    tls = listening.tls
    config = uvicorn.Config(
        app,
        http=protocol,
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
    await _Server(config, end).serve(sockets=[listening.socket])
