"""uvicorn's HTTP/1.1 with an end to its patience: time limits for what clients send and take."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, NamedTuple

from uvicorn.protocols.http.h11_impl import H11Protocol

from ctui.daemon.heads import is_too_long


class Limits(NamedTuple):
    """Seconds, and a number of connections.

    Attributes:
        head: from the connection, or the end of the last response, to the end of a request's head.
        body: for a request's body.
        stall: that a client may take nothing of what waits for it.
        connections: at once, on all that share them; 0 is no limit.
    """

    head: float
    body: float
    stall: float
    connections: int = 0


class PatientProtocol(H11Protocol):
    """One connection, closed when its client takes too long over anything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits = self.limits_now()
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._awaited: tuple[str, object] = ("", None)

    def limits_now(self) -> Limits:
        """Return the limits of a new connection."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.limits.connections and len(self.connections) > self.limits.connections:
            self.refuse()
            return
        found = transport.get_extra_info("socket")
        if _is_tcp(found) and hasattr(socket, "TCP_USER_TIMEOUT"):
            # A client whose cable was pulled says nothing; the system would wait for 15 minutes.
            milliseconds = int(self.limits.body * 1000)
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        self._set_deadline()

    def refuse(self) -> None:
        """End a connection that is one too many."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._set_deadline()

    def handle_events(self) -> None:
        if is_too_long(self.conn):
            self.send_400_response("too many headers")
            return
        super().handle_events()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._set_deadline()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._cancel()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.stall, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def send_400_response(self, msg: str) -> None:
        """Send it in the form of every other error."""
        body = self.bad_request(msg)
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def bad_request(self, why: str) -> bytes:
        """Return the JSON for something that is no HTTP request."""
        raise NotImplementedError

    def _set_deadline(self) -> None:
        """Begin to count when something else is awaited than before, not with every byte."""
        awaited = self._awaits()
        if awaited == self._awaited or self.transport.is_closing():
            return
        self._cancel()
        self._awaited = awaited
        seconds = {"head": self.limits.head, "body": self.limits.body}.get(awaited[0])
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


def _is_tcp(found: socket.socket | None) -> bool:
    return found is not None and found.family in {socket.AF_INET, socket.AF_INET6}
