"""HTTP server of the scripted model: `POST /v1/messages`, and questions of tests about it."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .exchange import Exchange, Gone, Rejected
from .performance import Performance
from .stage import Stage
from .stream import input_usage


class Server(ThreadingHTTPServer):
    """Scripted model on one address; each connection has its own thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, log: Path | None = None) -> None:
        super().__init__((host, port), _Handler)
        self.stage = Stage(log)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(Exchange):
    server: Server

    def do_HEAD(self) -> None:  # noqa: N802 - http.server calls it so
        self.send_json(HTTPStatus.OK, {"name": "scripted model"})

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it so
        stage = self.server.stage
        path = urlsplit(self.path).path
        if path in {"/", "/healthz"}:
            self.send_json(HTTPStatus.OK, {"name": "scripted model"})
        elif path == "/calls":
            self.send_json(HTTPStatus.OK, stage.calls())
        elif path == "/waiting":
            self.send_json(HTTPStatus.OK, stage.waiting())
        else:
            self.send_rejection(Rejected(HTTPStatus.NOT_FOUND, f"there is no {path}"))

    def do_POST(self) -> None:  # noqa: N802 - http.server calls it so
        path = urlsplit(self.path).path
        try:
            body = self.read_request()
            if path.startswith("/release/"):
                self.server.stage.gate(unquote(path.removeprefix("/release/"))).set()
                self.send_json(HTTPStatus.OK, {})
            elif path == "/v1/messages/count_tokens":
                usage = input_usage(_request(body), len(body))
                self.send_json(HTTPStatus.OK, {"input_tokens": sum(usage.values())})
            elif path == "/v1/messages":
                performance = Performance(self, self.server.stage, _request(body), len(body))
                body = b""  # a held stream need not hold its request
                performance.play()
            else:
                raise Rejected(HTTPStatus.NOT_FOUND, f"there is no {path}")
        except Rejected as rejected:
            self.send_rejection(rejected)
        except Gone:
            self.close_connection = True


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT, and print the address on stdout once it listens."""
    parser = argparse.ArgumentParser(prog="model", description="A scripted Messages API.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one (%(default)s)")
    parser.add_argument("--log", type=Path, help="append each call to this file as a line of JSON")
    options = parser.parse_args(argv)
    # The first process of a container ignores every signal that it has no handler for.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with Server(options.host, options.port, options.log) as server:
        sys.stdout.write(f"http://{options.host}:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()
    return 0


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected(HTTPStatus.BAD_REQUEST, "the request is not JSON") from None
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        raise Rejected(HTTPStatus.BAD_REQUEST, "messages: Field required")
    return request
