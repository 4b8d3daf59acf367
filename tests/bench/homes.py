"""What a home full of old tasks costs: each command beside the same one in a small home."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.client.connection import stop_driver
from ctui.paths import Paths, private_folder
from ctui.tasks.journal.archive import FILE_NAME, Entry
from ctui.tasks.model import Ask, AskKind, AskState, EndReason, Run, Task, TaskState
from ctui.tasks.store import Store
from tests.bench.figures import ratio
from tests.bench.terminal import Pty
from tests.claude import lines
from tests.conftest import make_repository

_CTUI = str(Path(sys.executable).with_name("ctui"))
_WORKTREES = 16
_EVENTS = 1000
_ASKS = 2000
_ENDED = 1000
_ROUNDS = 9
_REST = 10.0
_COMMANDS = (
    ("task", "list"),
    ("task", "show", "t0"),
    ("task", "logs", "t0"),
    ("worktree", "list"),
    ("worktree", "trash"),
    ("config", "grants"),
    ("clean", "--dry-run"),
    ("doctor",),
)


class Home(NamedTuple):
    """A home, and the repository that its tasks are about."""

    paths: Paths
    environ: dict[str, str]
    repository: Path


async def task_history() -> None:
    """The list with 1,000 ended tasks against that with ten."""
    with tempfile.TemporaryDirectory() as folder:
        large = _home(Path(folder, "large"), worktrees=1, ended=_ENDED)
        small = _home(Path(folder, "small"), worktrees=1, ended=10)
        for more in ((), ("--json",)):
            ours, theirs = _pairs(large, small, ("task", "list", *more))
            ratio(f"task list{' --json' if more else ''}, 1,000 / 10 tasks", "<= 1.3", ours, theirs)


async def full_home() -> None:
    """16 tasks, 2,000 asks and 1,000 ended tasks against one task, with the same worktrees."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        full = _home(Path(folder, "full"), worktrees=_WORKTREES, ended=_ENDED, asks=_ASKS)
        bare = _home(Path(folder, "bare"), worktrees=_WORKTREES, idle=1)
        for command in _COMMANDS:
            ours, theirs = _pairs(full, bare, command)
            ratio(f"{' '.join(command)}, full / bare home", "<= 2.0", ours, theirs)
        try:
            _rest(full)
        finally:
            await stop_driver(full.paths)


def _pairs(one: Home, other: Home, command: Sequence[str]) -> tuple[list[float], list[float]]:
    """Seconds of the command in both homes, in turn; the first pair reads it from the disk."""
    pairs = [(_timed(one, command), _timed(other, command)) for _ in range(_ROUNDS + 1)][1:]
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]


def _timed(home: Home, command: Sequence[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(
        [_CTUI, *command],
        cwd=home.repository,
        env=home.environ,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    # `doctor` says 1 where something is missing, as a login is here.
    if done.returncode and command[0] != "doctor":
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - begun


def _rest(home: Home) -> None:
    """Print the processor's time in ten seconds of the clean-up screen, and of the dashboard."""
    app = Pty([sys.executable, "-m", "ctui", str(home.repository)], home.environ)
    try:
        app.until("w0")
        app.drain(_REST)
        listed, cleaning = [], []
        for _ in range(3):
            app.press(b"\x1b")  # out of the composer, or of the clean-up
            listed.append(_used(app))
            app.press(b"c")
            app.until("Cleanup")
            cleaning.append(_used(app))
    finally:
        app.close()
    ratio("clean-up / dashboard, at rest", "<= 1.3", cleaning, listed)


def _used(app: Pty) -> float:
    app.drain(4)
    before = app.processor_seconds()
    app.drain(_REST)
    return app.processor_seconds() - before


def _home(
    folder: Path, *, worktrees: int, ended: int = 0, asks: int = 0, idle: int | None = None
) -> Home:
    """Make a repository with worktrees, and what a driver would have left of tasks on them."""
    folder.mkdir()
    repository = make_repository(folder)
    environ = {**os.environ, "CTUI_HOME": str(folder / "home")}
    home = Home(Paths.from_environment(environ), environ, repository)
    private_folder(home.paths.state)
    for number in range(worktrees):
        _timed(home, ("worktree", "create", f"w{number}"))
    store = Store(home.paths.database)
    listed = sorted(home.paths.worktrees.glob("*/w*"))
    tasks = [f"t{number}" for number in range(worktrees if idle is None else idle)]
    with store.transaction():
        for number, task in enumerate(tasks):
            _task(home, store, task, listed[number], TaskState.IDLE, _EVENTS)
        for number in range(ended):
            gone = home.paths.worktrees / "gone" / f"old-{number}"
            _task(home, store, f"old-{number}", gone, TaskState.ENDED, 10)
        for number in range(asks):
            store.asks.add(_ask(tasks[number % len(tasks)], number))
    store.close()
    return home


def _task(
    home: Home, store: Store, name: str, worktree: Path, state: TaskState, events: int
) -> None:
    folder = home.paths.task(name)
    folder.mkdir(parents=True, mode=0o700)
    said = [lines.assistant(f"m{number}", lines.text("I did it.")) for number in range(events)]
    with (folder / FILE_NAME).open("wb") as file:
        for number, line in enumerate(said):
            file.write(msgspec.json.encode(Entry(number, 1, "out", line.decode())) + b"\n")
    ended = state is TaskState.ENDED
    store.tasks.add(
        Task(
            id=name,
            repository=str(home.repository / ".git"),
            worktree=str(worktree),
            metadata=str(home.repository / ".git" / "worktrees" / worktree.name),
            branch=worktree.name,
            base=None,
            session="",
            prompt="Do it.\n" * 20,
            result="I did it.\n" * 20,
            state=state,
            reason=EndReason.STOPPED if ended else None,
            created=time.time_ns(),
            turns=1,
        )
    )
    store.runs.add(Run(task=name, number=1, container="gone", created=1, ended=2))


def _ask(task: str, number: int) -> Ask:
    return Ask(
        id=0,
        task=task,
        run=1,
        request=f"r{number}",
        kind=AskKind.PERMISSION,
        tool="Bash",
        title="touch a file",
        input=msgspec.Raw(b'{"command":"touch a"}'),
        state=AskState.DELIVERED,
        created=time.time_ns(),
    )
