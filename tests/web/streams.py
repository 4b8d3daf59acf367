"""A reader of server-sent events that keeps to the standard, on a plain socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from tests.web.conftest import WAIT_SECONDS, Served


class Event(NamedTuple):
    """One event."""

    id: str
    kind: str
    data: Any


class Stream:
    """One open stream of a task's events."""

    def __init__(self, served: Served, task: str, last: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", served.port), timeout=WAIT_SECONDS)
        resume = f"Last-Event-ID: {last}\r\n" if last else ""
        self._socket.sendall(
            f"GET /api/claude/tasks/{task}/events HTTP/1.0\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {served.token}\r\n{resume}\r\n".encode()
        )
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def events(self) -> Iterator[Event]:
        """Events until the server ends the stream."""
        fields: dict[str, str] = {}
        for raw in self._file:
            line = raw.decode().removesuffix("\n")
            if not line:
                if "data" in fields:
                    yield Event(fields["id"], fields["event"], json.loads(fields["data"]))
                fields = {}
                continue
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")

    def until(self, kind: str, **wanted: Any) -> list[Event]:
        """Events up to and with the first of this kind that says this."""
        found: list[Event] = []
        for event in self.events():
            found.append(event)
            if event.kind == kind and wanted.items() <= event.data.items():
                return found
        raise AssertionError(f"the stream ended without {kind} {wanted}: {found[-3:]}")
