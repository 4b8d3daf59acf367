"""One HTTP exchange in the API's form: JSON, errors, and a stream of server-sent events."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

_LARGEST_REQUEST = 64 * 1024 * 1024
"""Size in bytes."""

_IDLE_SECONDS = 300
"""Seconds without a byte read or written, after which a connection is closed."""

_ERROR_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The API's error types by HTTP status (https://docs.claude.com/en/api/errors)."""


class Rejected(Exception):
    """Request that gets this HTTP status and message instead of an answer."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class Gone(ConnectionError):
    """Connection that the client closed, or that the script ends."""


class Exchange(BaseHTTPRequestHandler):
    """Connection with the API's ways to answer on it.

    Attributes:
        streaming: True while the answer is a stream that has begun and not ended.
    """

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    streaming = False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Log nothing: the calls are in `/calls` and in the log."""

    def read_request(self) -> bytes:
        """Return the request's body.

        Raises:
            Rejected: its length is unknown or more than 64 MiB.
            Gone: the client closed the connection in the middle of it.
        """
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise Rejected(HTTPStatus.LENGTH_REQUIRED, "the content-length is missing")
        if int(length[:12]) > _LARGEST_REQUEST:
            self.close_connection = True
            raise Rejected(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the limit is {_LARGEST_REQUEST} bytes"
            )
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Gone
        return body

    def send_json(
        self, status: int, value: object, headers: Mapping[str, str] | None = None
    ) -> None:
        body = json.dumps(value).encode("ascii")
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_rejection(self, rejected: Rejected) -> None:
        """Send the API's error object, as a stream's last event or as the answer."""
        kind = _ERROR_KINDS.get(rejected.status)
        if kind is None:
            kind = "api_error" if rejected.status >= 500 else "invalid_request_error"
        error = {"type": "error", "error": {"type": kind, "message": str(rejected)}}
        if self.streaming:
            self.send_event(error)
            self.end_stream()
        else:
            self.send_json(rejected.status, error, rejected.headers)

    def begin_stream(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("cache-control", "no-cache")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.streaming = True

    def send_event(self, event: dict[str, Any]) -> None:
        data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode("ascii")
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self) -> None:
        self.streaming = False
        self.wfile.write(b"0\r\n\r\n")

    def hang_up(self) -> None:
        """Close the connection, with whatever of the answer was sent."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def is_abandoned(self) -> bool:
        """Return True if the client has closed its side of the connection."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        try:
            return bool(poll.poll(0)) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True
