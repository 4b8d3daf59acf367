"""A task's life as server-sent events (html.spec.whatwg.org, 9.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ctui.errors import NotFound
from ctui.tasks.model import Task
from ctui.web.endpoint import Endpoint, Parameter
from ctui.web.failure import failed
from ctui.web.service import Service
from ctui.web.shapes import Event

MOST_STREAMS = 64
"""Open at once in one process."""

HEARTBEAT_SECONDS = 15.0
"""Proxies close what is silent, mostly after 60 s."""

_LONGEST_ID = 15
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def events(service: Service, request: Request) -> Response:
    """Follow a task: every line of its journal from the start, then live, and every change.

    Events: `line` (a journal line: `t` in nanoseconds, `run`, `stream`, `line`), `task` (its state
    as it is now), `ask` (one of its asks as it is now), `removed` (the last one). A stream begins
    with the state and all open asks. Each event has an id; with it as `Last-Event-ID` a new stream
    has every line behind that one, exactly once. Comments keep the connection alive.
    """
    task = service.store.tasks.get(request.path_params["task_id"])
    start = _start(service.archive(task.id), request.headers.get("last-event-id", ""))
    if service.streams >= MOST_STREAMS:
        return failed(
            429,
            f"{MOST_STREAMS} streams are open already",
            hint="close some, or poll GET /api/claude/tasks/{id}",
            headers={"Retry-After": "5"},
        )
    return _EventStream(service, task, start)


class _EventStream(StreamingResponse):
    """Response that holds one of the places from its first moment to its last."""

    def __init__(self, service: Service, task: Task, start: int) -> None:
        self._service = service
        self._frames = _frames(service, task, start)
        super().__init__(self._frames, media_type="text/event-stream", headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._service.stream():
            async with aclosing(self._frames):
                await super().__call__(scope, receive, send)


async def _frames(service: Service, task: Task, start: int) -> AsyncGenerator[bytes, None]:
    with service.feeds.follow(task, start) as follower:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    frames = await follower.next()
            except TimeoutError:
                frames = b":\n\n"
            if not frames:
                return
            yield frames


def _start(archive: Path, given: str) -> int:
    """Return the position that an id means; the start of the archive without one.

    Raises:
        NotFound: no event of this task has this id.
    """
    if not given or given == "0":
        return 0
    if given.isascii() and given.isdigit() and len(given) <= _LONGEST_ID and int(given):
        with suppress(OSError), archive.open("rb") as file:
            file.seek(int(given) - 1)
            if file.read(1) == b"\n":
                return int(given)
    raise NotFound(
        "Last-Event-ID is of no event of this task", hint="leave it out to begin at the start"
    )


LAST_EVENT = Parameter(
    "Last-Event-ID",
    "header",
    {"type": "string", "pattern": r"^\d{0,15}$"},
    "The id of the last event that was seen.",
)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/tasks/{task_id}/events",
        events,
        Event,
        media="text/event-stream",
        parameters=(LAST_EVENT,),
        errors=(404, 429),
    ),
)
