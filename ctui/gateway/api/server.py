"""A run's `api.sock`: uvicorn's protocol on a unix socket, with its own limits."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import uvicorn
from uvicorn.server import ServerState

from ctui.daemon.patience import Limits, PatientProtocol
from ctui.gateway.api.answers import error_body, wait
from ctui.gateway.api.app import Api
from ctui.gateway.api.place import Place
from ctui.gateway.sockets import listen_unix

LIMITS = Limits(head=75.0, body=120.0, stall=120.0, connections=64)
"""Of each run. A sandbox can be frozen for a while, and its CLI has some calls at once."""

_KEEP_ALIVE_SECONDS = 75
_MOST_HEAD_BYTES = 1 << 16
_CLOSE_SECONDS = 5.0
"""For calls that were cut off to be in the books."""


class _Protocol(PatientProtocol):
    """One connection of a run."""

    def limits_now(self) -> Limits:
        return LIMITS

    def bad_request(self, why: str) -> bytes:
        place: Place = self.app_state["place"]
        place.anomaly("framing", "something that is no HTTP request")
        return error_body(400, f"this is no HTTP request: {why}")

    def refuse(self) -> None:
        place: Place = self.app_state["place"]
        place.anomaly("connections", f"more than {self.limits.connections} connections at once")
        answer = wait("too many connections of this task", 2)
        head = b"".join(b"%b: %b\r\n" % header for header in answer.headers)
        self.transport.write(
            b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n%b\r\n%b"
            % (head, answer.body)
        )
        self.transport.close()


class ApiServer:
    """The socket of one run. What is open on it is cut off when it is closed."""

    def __init__(self, path: Path, config: uvicorn.Config, place: Place) -> None:
        """Prepare one; `config` is the same for all, see `api_config`."""
        self._path = path
        self._place = place
        self._state = ServerState()
        self._config = config
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Unavailable: the socket cannot be made.
        """
        listener = listen_unix(self._path)
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Protocol(self._config, self._state, {"place": self._place}), sock=listener
        )

    async def close(self) -> None:
        """Cut everything off, and remove the socket."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_CLOSE_SECONDS)


def quiet_libraries() -> None:
    """Have no library log requests: URLs, headers and tracebacks are nobody's business."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False


def api_config(api: Api) -> uvicorn.Config:
    """Return what all runs' sockets share."""
    config = uvicorn.Config(
        api,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
    )
    config.load()
    return config
