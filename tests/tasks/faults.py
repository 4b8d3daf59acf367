"""What tests of faults share: a tool that waits for the test, and a look at the sandboxes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ctui.client.connection import driver_pid
from ctui.sandbox.docker.engine import FoundContainer
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_TASK
from ctui.tasks.model import Task
from tests.tasks.conftest import WAIT_SECONDS, Person

HELD = "bash touch held; while [ ! -e go ]; do sleep 0.1; done"
"""A tool that runs until the test releases it."""


async def until(seen: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait for what no event tells."""
    try:
        async with asyncio.timeout(seconds):
            while not seen():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"it never came to be: {what}") from None


async def held(person: Person, name: str, *after: str, **options: object) -> Task:
    """Start a task whose first turn is in the middle of a tool."""
    task = await person.start(name, HELD, *after, skip_permissions=True, **options)
    marker = Path(task.worktree) / "held"
    await until(marker.exists, "the tool runs")
    return task


def release(task: Task) -> None:
    """Let the tool of `held` end; a name takes no space on a disk that is full."""
    (Path(task.worktree) / "held").rename(Path(task.worktree) / "go")


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Write until no more bytes than these are left; returns the file that has them."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        if leave:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - leave)
            return filler
        size = 1 << 20
        while size:
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
            size //= 2
    return filler


async def sandboxes(person: Person, task: str, *, running: bool = True) -> list[FoundContainer]:
    """Return the containers of a task."""
    labels = {LABEL_INSTANCE: person.world.paths.instance, LABEL_TASK: task}
    found = await person.world.engine.find(labels)
    return [one for one in found if one.running or not running]


async def kill_driver(person: Person) -> int:
    """Kill the driver, and return when it is gone."""
    pid = await driver_pid(person.world.paths)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid), "it is dead")
    return pid


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def cli_of(container: str) -> int:
    """Return the process id of the CLI in a container, as the host has it."""
    top = subprocess.run(
        ["docker", "top", container, "-eo", "pid,args"], capture_output=True, text=True, check=True
    )
    for line in top.stdout.splitlines()[1:]:
        pid, _, command = line.strip().partition(" ")
        if command.strip().startswith("/usr/local/bin/claude"):
            return int(pid)
    raise AssertionError(top.stdout)


def run(*command: str) -> None:
    """Run a command of the system, which succeeds."""
    subprocess.run(command, check=True, capture_output=True)


async def follow_ctui(person: Person, *arguments: str) -> Process:
    """Start the command; its output is a pipe."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", *arguments),
        cwd=person.repository,
        env=person.world.environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
