"""The dashboard's speed, on a real pty."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ctui.demo.model.script import fenced
from ctui.demo.repository import make_demo_repository
from ctui.demo.world import World, demo_world
from ctui.paths import Paths, private_folder
from ctui.tasks.journal.archive import FILE_NAME, Entry
from ctui.tasks.model import EndReason, Task, TaskState
from ctui.tasks.store import Store
from tests.bench.figures import ratio
from tests.bench.terminal import Pty
from tests.claude import lines

PYTHON = sys.executable
_KEYS = 120
F9 = b"\x1b[20~"


async def first_paint() -> None:
    """Until ten worktrees' names are on the screen, against an application with one Static."""
    async with demo_world() as world:
        repository = make_demo_repository(world.folder / "repository")
        names = [f"tree-{number}" for number in range(10)]
        for name in names:
            subprocess.run(
                [PYTHON, "-m", "ctui", "worktree", "create", name],
                cwd=repository,
                env=dict(world.environ),
                check=True,
                stdout=subprocess.DEVNULL,
            )
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(10):
            ours.append(_painted([PYTHON, "-m", "ctui", str(repository)], world, names))
            smallest = [PYTHON, str(Path(__file__).with_name("minimal.py"))]
            theirs.append(_painted(smallest, world, ["the smallest application"]))
        ratio("first paint / one Static", "<= 1.5", ours[1:], theirs[1:])


async def live_keys() -> None:
    """From a key to the screen, beside a pane at some 200 events a second, and beside nothing."""
    async with demo_world() as world:
        repository = make_demo_repository(world.folder / "repository")
        prompt = "Write.\n" + fenced("slow 5 5", "flood 30000")
        subprocess.run(
            [PYTHON, "-m", "ctui", "run", "--detach", "--name", "flood", prompt],
            cwd=repository,
            env=dict(world.environ),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        app = Pty([PYTHON, "-m", "tests.bench.marked", str(repository)], world.environ)
        app.until("flood")
        app.drain(4)
        live = _latencies(app, 0)
        run_ctui(world, repository, "task", "stop", "flood")
        app.drain(3)
        idle = _latencies(app, _KEYS)
        app.close()
        for name, place in (("p50", 0.5), ("p99", 0.99)):
            here, there = quantile(live, place), quantile(idle, place)
            wanted = {"p50": 10, "p99": 40}[name]
            print(
                f"key to screen, {name:<18} {(here - there) * 1000:+5.0f} ms (wanted <= +{wanted}) "
                f"{here * 1000:.0f} ms live, {there * 1000:.0f} ms idle"
            )


async def opening() -> None:
    """A journal of 100,000 events against one of 1,000: from the key to its last words."""
    async with demo_world() as world:
        repository = make_demo_repository(world.folder / "repository")
        for name, events in (("a-small", 1000), ("b-large", 100_000)):
            _ended_task(world.paths, repository, name, events)
        ours: list[float] = []
        theirs: list[float] = []
        app = Pty([PYTHON, "-m", "ctui", str(repository)], world.environ)
        app.until("words-of-a-small")
        app.drain(2)
        for _ in range(6):
            sent = app.press(b"\x1b[B")
            ours.append(app.until("words-of-b-large") - sent)
            app.drain(0.5)
            sent = app.press(b"\x1b[A")
            theirs.append(app.until("words-of-a-small") - sent)
            app.drain(0.5)
        app.drain(3)
        before, began = app.processor_seconds(), time.perf_counter()
        app.drain(20)
        share = (app.processor_seconds() - before) / (time.perf_counter() - began)
        app.close()
        ratio("open 100,000 events / 1,000", "<= 3.0", ours, theirs)
        print(f"{'at rest, share of a core':<34} {share * 100:5.2f} % (wanted < 1)")


def _painted(command: Sequence[str], world: World, texts: list[str]) -> float:
    app = Pty(command, world.environ)
    seen = app.until(*texts) - app.started
    app.close()
    return seen


def _latencies(app: Pty, count: int) -> list[float]:
    """Of so many keys; they come at other moments of a frame each time."""
    found: list[float] = []
    for number in range(count + 1, count + _KEYS + 1):
        sent = app.press(F9)
        found.append(app.until(f"mark-{number:05}") - sent)
        app.drain(0.03 + 0.007 * (number % 11))
    return found


def quantile(values: list[float], place: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * place))]


def run_ctui(world: World, repository: Path, *arguments: str) -> None:
    """Run a command of the world's person, which has to succeed."""
    subprocess.run(
        [PYTHON, "-m", "ctui", *arguments],
        cwd=repository,
        env=dict(world.environ),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _ended_task(paths: Paths, repository: Path, name: str, events: int) -> None:
    """A task of so many journal lines, as a driver would have left it."""
    private_folder(paths.state)
    store = Store(paths.database)  # first: journals without one are what a lost store leaves
    folder = paths.task(name)
    folder.mkdir(parents=True, mode=0o700)
    with (folder / FILE_NAME).open("wb") as file:
        for number in range(events // 5):
            call = f"c{number}"
            given = [
                lines.echo(f"u{number}", f"prompt {number}"),
                lines.assistant(
                    f"m{number}", lines.tool_use(call, "Bash", command=f"make {number}")
                ),
                lines.tool_result(call, "some output\n" * 20, {"stdout": "some output\n" * 20}),
                lines.assistant(
                    f"n{number}", lines.text(f"I did **{number}** of it.\n\n- one\n- two")
                ),
                lines.result(0.01 * number),
            ]
            for line in given:
                file.write(msgspec.json.encode(Entry(number, 1, "out", line.decode())) + b"\n")
        last = lines.assistant("last", lines.text(f"words-of-{name}"))
        file.write(msgspec.json.encode(Entry(events, 1, "out", last.decode())) + b"\n")
    store.tasks.add(
        Task(
            id=name,
            repository=str(repository / ".git"),
            worktree=str(paths.worktrees / name),
            metadata=None,
            branch=name,
            base=None,
            session="",
            prompt=name,
            state=TaskState.ENDED,
            reason=EndReason.STOPPED,
            created=time.time_ns(),
        )
    )
    store.close()
