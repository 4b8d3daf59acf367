"""A byte connection to the engine and the little HTTP that is spoken on it."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlencode

from ctui.errors import (
    Conflict,
    CtuiError,
    ExternalFailure,
    NotFound,
    RunnerUnavailable,
    Unavailable,
)
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.text import one_line

_BUFFER = 1 << 20
_CONNECT_SECONDS = 5
_KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds of silence until the other side is asked, seconds between two questions, and how many."""
_HEAD_SECONDS = 8
_DIAL_HEAD_SECONDS = 60
"""Time limit of the head if the connection is a process such as ssh, which may have to log in."""

_STATUS = re.compile(r"HTTP/[0-9.]+ ([0-9]{3})\b", re.ASCII)


class EngineHangs(RunnerUnavailable):
    """An engine that takes connections and does not answer."""

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        super().__init__(
            message or "the Docker engine takes connections, but does not answer",
            hint=hint or "restart it; `ctui doctor` names the command",
        )


class Connection(NamedTuple):
    """One open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    process: asyncio.subprocess.Process | None = None
    api: str = ""
    """Version of the endpoint: there is none that every engine speaks (29 refuses 1.43)."""

    def close(self) -> None:
        self.writer.close()
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.terminate()


class Response(NamedTuple):
    """Status line and headers; the body is still to be read."""

    status: int
    headers: dict[str, str]


async def connect(endpoint: Endpoint) -> Connection:
    """Open a connection. Raises Unavailable if nothing answers."""
    try:
        return await asyncio.wait_for(_connect(endpoint), _CONNECT_SECONDS)
    except (OSError, ssl.SSLError, TimeoutError) as error:
        raise RunnerUnavailable(
            f"no Docker engine answers at {endpoint.url}",
            hint="start it, or choose another with DOCKER_HOST; `ctui doctor` looks closer",
        ) from error


async def _connect(endpoint: Endpoint) -> Connection:
    if endpoint.kind == "unix":
        pair = await asyncio.open_unix_connection(endpoint.address, limit=_BUFFER)
        return Connection(*pair, api=endpoint.api)
    if endpoint.kind == "tcp":
        host, _, port = endpoint.address.rpartition(":")
        context = _tls(endpoint)
        pair = await asyncio.open_connection(host, int(port), limit=_BUFFER, ssl=context)
        _keep_alive(pair[1].get_extra_info("socket"))
        return Connection(*pair, api=endpoint.api)
    return await _dial(endpoint)


def _keep_alive(connection: socket.socket) -> None:
    """Let a connection end whose other side is gone without a word; a log can be silent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


async def request(
    connection: Connection,
    method: str,
    path: str,
    query: dict[str, str],
    *,
    body: bytes = b"",
    upgrade: bool = False,
) -> Response:
    """Send a request, with JSON as its body or none, and read the head of the answer.

    Raises:
        NotFound: the engine answered 404.
        Unavailable: it answered another error, nothing, or what is no HTTP.
    """
    version = f"/v{connection.api}" if connection.api else ""
    lines = [
        f"{method} {version}{path}?{urlencode(query)} HTTP/1.1",
        "Host: docker",
        f"Content-Length: {len(body)}",
    ]
    lines += ["Content-Type: application/json"] if body else []
    lines += ["Connection: Upgrade", "Upgrade: tcp"] if upgrade else ["Connection: close"]
    connection.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    try:
        seconds = _HEAD_SECONDS if connection.process is None else _DIAL_HEAD_SECONDS
        head = await asyncio.wait_for(connection.reader.readuntil(b"\r\n\r\n"), seconds)
    except TimeoutError as error:
        raise EngineHangs from error
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
        raise RunnerUnavailable("the Docker engine broke off", hint="is it restarting?") from error
    response = _head(head)
    if response.status >= 400:
        said = one_line((await connection.reader.read(4096)).decode("utf-8", "replace"), 300)
        raise refusal(response.status, said)
    return response


_AWAY = frozenset({502, 503, 504})
_ENDING = ("shutting down", "context canceled", "transport is closing", "containerd.sock")
"""Words of an engine that is ending, or has lost its containerd: the same call succeeds later."""
_REMOVED = "marked for removal"


def refusal(status: int, said: str) -> CtuiError:
    """Return the error that an engine's answer means, by its HTTP status and its words."""
    text, words = f"the engine says: {said}", said.lower()
    if "no space left" in words:
        return Unavailable("the engine's disk is full", hint="free some space: `docker system df`")
    if status == 404 or _REMOVED in words:
        return NotFound(text)
    if status == 409:
        return Conflict(text)
    if status in _AWAY or any(word in words for word in _ENDING):
        return RunnerUnavailable(text, hint="is it restarting?")
    return ExternalFailure(text, exit_code=status)


def _head(head: bytes) -> Response:
    status_line, *fields = head.decode("latin-1").split("\r\n")
    status = _STATUS.match(status_line)
    if status is None:
        raise RunnerUnavailable(
            "the Docker engine answers what is no HTTP",
            hint="is it an engine that listens there? `ctui doctor` looks closer",
        )
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (field.partition(":") for field in fields)
        if colon
    }
    return Response(int(status[1]), headers)


async def _dial(endpoint: Endpoint) -> Connection:
    process = await asyncio.create_subprocess_exec(
        *endpoint.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_BUFFER,
    )
    if process.stdout is None or process.stdin is None:
        raise Unavailable("docker system dial-stdio has no pipes")
    return Connection(process.stdout, process.stdin, process, endpoint.api)


def _tls(endpoint: Endpoint) -> ssl.SSLContext | None:
    if endpoint.tls is None:
        return None
    context = ssl.create_default_context(cafile=endpoint.tls.ca)
    context.load_cert_chain(endpoint.tls.certificate, endpoint.tls.key)
    return context
