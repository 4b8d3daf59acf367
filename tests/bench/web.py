"""The HTTP API with many followers: no event is lost, and a request waits little longer."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from ctui.demo.repository import make_demo_repository
from ctui.paths import Paths, private_folder
from ctui.redaction.redactor import Redactor
from ctui.sandbox.runner import LogLine
from ctui.tasks.driver.server import Server
from ctui.tasks.journal.archive import FILE_NAME, Journal
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store
from ctui.web.auth import Tokens
from tests.bench.worktrees import p99

_TASKS = 8
_CLIENTS = 50
_LINES_A_SECOND = 25
"""Of each task: more than a CLI writes that is not waiting for the model."""

_ROUNDS = 3
_ROUND_SECONDS = 6.0
_PAUSE = 0.01


class _Place(NamedTuple):
    port: int
    token: str
    paths: Paths


async def followers() -> None:
    """Requests with and without 50 clients that follow 8 tasks, in turn; then the count."""
    with tempfile.TemporaryDirectory() as folder:
        async with _server(Path(folder)) as place:
            alone: list[float] = []
            crowded: list[float] = []
            lost = seen = 0
            for _ in range(_ROUNDS):
                alone += await _requests(place)
                async with _crowd(place) as counts:
                    crowded += await _requests(place)
                lost += sum(missing for missing, _ in counts)
                seen += sum(number for _, number in counts)
    high = f"{p99(crowded) * 1000:.1f} / {p99(alone) * 1000:.1f} ms"
    usual = f"{statistics.median(crowded) * 1000:.1f} / {statistics.median(alone) * 1000:.1f} ms"
    print(
        f"{'GET /tasks/{id} p99, 50 followers':<34} {p99(crowded) / p99(alone):5.2f} (wanted < 4)"
        f"   {high}, medians {usual}, n={len(crowded)}, {len(alone)}"
    )
    print(f"{'events lost':<34} {lost:5d} (wanted 0)   of {seen}")
    if lost:
        raise SystemExit("events were lost")


async def drive(folder: str) -> None:
    """The other process: journals that grow, behind the driver's own socket."""
    paths = Paths.from_environment()
    store = Store(paths.database)
    journals = _Journals(paths, store)
    server = Server(lambda: None, lambda: None, engine="")
    server.tasks = journals  # type: ignore[assignment]
    private_folder(paths.driver_socket.parent)
    listener = await asyncio.start_unix_server(server.serve, path=paths.driver_socket)
    print("ready", flush=True)
    text = "x" * 700
    async with listener:
        for number in itertools.count():
            for task in journals.found.values():
                line = {"type": "assistant", "n": number, "message": {"content": text}}
                data = json.dumps(line, separators=(",", ":")).encode()
                task.append(1, [LogLine(time.time_ns(), "out", data)])
            await asyncio.sleep(1 / _LINES_A_SECOND)
            if not Path(folder).exists():
                return


class _Journals:
    """What the driver's server needs of the engine, with tasks that have no sandbox."""

    def __init__(self, paths: Paths, store: Store) -> None:
        self.store = store
        self.found = {
            task.id: Journal(paths.task(task.id), Redactor()) for task in store.tasks.list()
        }

    def journal(self, task: str) -> Journal:
        return self.found[task]


@asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[_Place]:
    """`ctui serve` and the driving process, each on its own."""
    environ = {**os.environ, "CTUI_HOME": str(folder / "home")}
    paths = Paths.from_environment(environ)
    repository = make_demo_repository(folder / "repository")
    _tasks(paths, repository)
    driver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bench", "drive", str(folder)),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    assert driver.stdout is not None
    await driver.stdout.readline()
    served = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ctui", "serve", "--port", "0", "--repo", str(repository)),
        env=environ,
        stderr=asyncio.subprocess.PIPE,
    )
    assert served.stderr is not None
    found = re.search(rb":(\d+) serves", await served.stderr.readline())
    assert found is not None
    try:
        yield _Place(int(found.group(1)), Tokens(paths).current(), paths)
    finally:
        for process in (served, driver):
            process.send_signal(signal.SIGTERM)
            await process.wait()


def _tasks(paths: Paths, repository: Path) -> None:
    private_folder(paths.state)
    store = Store(paths.database)
    for number in range(_TASKS):
        store.tasks.add(
            Task(
                id=f"task-{number}",
                repository=str(repository / ".git"),
                worktree=str(repository),
                metadata=None,
                branch=None,
                base=None,
                session="00000000-0000-4000-8000-000000000000",
                prompt="Grow.",
                state=TaskState.RUNNING,
                created=time.time_ns(),
            )
        )
    store.close()


async def _requests(place: _Place) -> list[float]:
    """Seconds that each of the requests of one client took, on one connection."""
    took: list[float] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1 << 24)
    end = time.perf_counter() + _ROUND_SECONDS
    for number in itertools.count():
        begun = time.perf_counter()
        if begun > end:
            break
        writer.write(_head(place, f"/tasks/task-{number % _TASKS}"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.partition(b"\r\n")[0]
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length.group(1)))
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(_PAUSE)
    writer.close()
    return took


@asynccontextmanager
async def _crowd(place: _Place) -> AsyncIterator[list[tuple[int, int]]]:
    """Followers in a process of their own; at its end how many events each missed and saw."""
    counts: list[tuple[int, int]] = []
    crowd = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bench", "crowd", str(place.port), place.token),
        env={**os.environ, **place.paths.environment()},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert crowd.stdout is not None
    await crowd.stdout.readline()
    yield counts
    output, _ = await crowd.communicate(b"\n")
    counts += [(missing, seen) for missing, seen in json.loads(output)]


async def crowd(port: str, token: str) -> None:
    """The other process: every client notes the ids that it gets, until a line comes on stdin."""
    place = _Place(int(port), token, Paths.from_environment())
    starts = {task: _size(place, task) for task in range(_TASKS)}
    seen: list[list[int]] = [[] for _ in range(_CLIENTS)]
    jobs = [
        asyncio.create_task(_follow(place, number % _TASKS, starts, seen[number]))
        for number in range(_CLIENTS)
    ]
    await _until(lambda: all(seen))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    ends = {task: _size(place, task) for task in range(_TASKS)}
    async with asyncio.timeout(30):
        await _until(
            lambda: all(ids[-1] >= ends[number % _TASKS] for number, ids in enumerate(seen))
        )
    for job in jobs:
        job.cancel()
    print(json.dumps([_counted(place, number, starts, ids) for number, ids in enumerate(seen)]))


async def _until(seen: Callable[[], bool]) -> None:
    while not seen():  # noqa: ASYNC110 - what fifty clients have seen is no one's event
        await asyncio.sleep(0.05)


async def _follow(place: _Place, task: int, starts: dict[int, int], ids: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1 << 24)
    last = f"Last-Event-ID: {starts[task]}\r\n"
    writer.write(_head(place, f"/tasks/task-{task}/events", last))
    number = 0
    while line := await reader.readline():
        if line.startswith(b"id: "):
            number = int(line[4:])
        elif line == b"event: line\n":
            ids.append(number)


def _counted(place: _Place, client: int, starts: dict[int, int], ids: list[int]) -> tuple[int, int]:
    """How many of the lines a client missed, got twice or got out of order; and how many it saw."""
    task = client % _TASKS
    start = starts[task]
    data = (place.paths.task(f"task-{task}") / FILE_NAME).read_bytes()[start : ids[-1]]
    wanted = list(itertools.accumulate(len(line) + 1 for line in data.split(b"\n")[:-1]))
    wrong = 0 if [start + size for size in wanted] == ids else 1
    return max(wrong, len(wanted) - len(ids)), len(ids)


def _size(place: _Place, task: int) -> int:
    """Of the archive, up to its last whole line."""
    data = (place.paths.task(f"task-{task}") / FILE_NAME).read_bytes()
    return data.rfind(b"\n") + 1


def _head(place: _Place, path: str, more: str = "") -> bytes:
    return (
        f"GET /api/claude{path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {place.token}\r\n{more}\r\n"
    ).encode()
