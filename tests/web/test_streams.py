"""Streams of whoever comes in crowds, vanishes, or names what is not there."""

from __future__ import annotations

import socket
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ctui.client.journal.archive import Chunk, read_lines
from ctui.redaction.redactor import Redactor
from ctui.sandbox.runner import LogLine
from ctui.tasks.journal.archive import FILE_NAME, Journal
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store
from ctui.web.events import MOST_STREAMS
from ctui.web.feeds import line_frames
from tests.web.conftest import WAIT_SECONDS, Served
from tests.web.streams import Stream


@pytest.fixture
def task(quiet: Served, repository: Path) -> str:
    """A task that ended long ago, as the driver would have left it."""
    store, name = Store(quiet.paths.database), f"old-{uuid.uuid4().hex[:8]}"
    store.tasks.add(
        Task(
            id=name,
            repository=str(repository / ".git"),
            worktree=str(repository),
            metadata=None,
            branch=None,
            base=None,
            session="00000000-0000-4000-8000-000000000000",
            prompt="Long ago.",
            state=TaskState.IDLE,
            created=1,
            updated=1,
        )
    )
    store.close()
    return name


def test_a_hundred_streams_and_a_place_for_who_comes_later(quiet: Served, task: str) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(Stream(quiet, task)) for _ in range(100)]
        statuses = [stream.status for stream in streams]
        assert statuses == [200] * MOST_STREAMS + [429] * (100 - MOST_STREAMS)
        for stream in streams[:MOST_STREAMS]:
            assert next(stream.events()).data["status"] == "completed"
        quiet.healthy()
        refused = quiet.ask("GET", f"/api/claude/tasks/{task}/events")
        assert refused.status_code == 429
        assert refused.headers["retry-after"]
        assert set(refused.json()) == {"error", "hint"}
    # All of them vanished without a word.
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with Stream(quiet, task) as stream:
            if stream.status == 200:
                return
    raise AssertionError("nobody's place became free")


def test_ids_that_no_event_has(quiet: Served, task: str) -> None:
    archive = quiet.paths.task(task) / FILE_NAME
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b'{"t":1,"run":1,"stream":"out","line":"{}"}\n')
    size = archive.stat().st_size
    for wrong in (
        "x",
        "-1",
        "00",
        "1",
        str(size - 1),
        str(size + 1),
        "9" * 15,
        "9" * 40,
        "1 2",
        "٣",
    ):
        given: Any = {"Last-Event-ID": wrong.encode()}
        answer = quiet.ask("GET", f"/api/claude/tasks/{task}/events", headers=given)
        assert answer.status_code == 404, wrong
        assert "Last-Event-ID" in answer.json()["error"]
    for right in ("0", str(size)):
        with Stream(quiet, task, right) as stream:
            assert stream.status == 200
            assert next(stream.events()).id == right


def test_a_half_closed_follower_costs_no_place(quiet: Served, task: str) -> None:
    request = (
        f"GET /api/claude/tasks/{task}/events HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {quiet.token}\r\n\r\n"
    ).encode()
    for _ in range(MOST_STREAMS + 10):
        with socket.create_connection(("127.0.0.1", quiet.port), timeout=WAIT_SECONDS) as sent:
            sent.sendall(request)
            sent.shutdown(socket.SHUT_WR)
            while sent.recv(1 << 16):
                pass
    with Stream(quiet, task) as stream:
        assert stream.status == 200


def test_a_chunk_s_frames_and_a_damaged_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Redactor())
    lines = [LogLine(number, "out", b'{"n":"\\u2028 \\r"}') for number in range(3)]
    journal.append(1, lines)
    journal.close()
    good = journal.path.read_bytes()
    journal.path.write_bytes(good + b'{"t":1,\n' + good)
    size = journal.path.stat().st_size
    first = read_lines(journal.path, 0, size, size=10)
    assert first == good.splitlines(keepends=True)[0]
    rest = read_lines(journal.path, len(first), size)
    assert len(first) + len(rest) == size
    frames = line_frames(Chunk(len(first), rest), check=True).decode()
    events = [event.split("\n") for event in frames.removesuffix("\n\n").split("\n\n")]
    assert [event[1] for event in events] == ["event: line"] * 6
    assert events[-1][0] == f"id: {size}"
    assert "damaged" in events[2][2]
    assert events[3][2].removeprefix("data: ").encode() in good
