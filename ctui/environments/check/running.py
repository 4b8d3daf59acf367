"""A check: one command on a fresh copy of a commit's files, in a container of its environment.

The container ends by itself soon after the time-out. Whoever waits for it holds a lock of its name;
`sweep_checks` removes what a killed process has left.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ctui.environments.build.network import CONTAINER
from ctui.environments.build.set_up import AS_SET_UP
from ctui.environments.build.shell import Waiting, copy_files, waiting_container
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.records import Environment, Records, erase
from ctui.errors import Conflict, ConsentRequired, Refused
from ctui.paths import Paths, private_folder
from ctui.redaction.redactor import Redactor
from ctui.sandbox.commands import SandboxProcess
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT, inspect_image
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.text import sanitise

if TYPE_CHECKING:
    from ctui.environments.build.stages import Builder
    from ctui.sandbox.docker.engine import Engine

PREFIX = "check-"
"""Beginning of the names of checks, which no environment's id has."""
_LOOK_SECONDS = 1.0
_LEFT_SECONDS = 60
"""Seconds after the time-out in which its container ends by itself."""
_NAME_SECONDS = 10.0
_LINE = 1 << 16
"""Bytes after which a line is cut."""


class Bounds(NamedTuple):
    """Bounds of a check."""

    seconds: int
    free: int
    """Bytes that the disk must have left."""


class Ended(NamedTuple):
    """End of a check."""

    exit: int | None
    """Its exit code; None where it was killed, or has none."""
    in_time: bool = True


@asynccontextmanager
async def name_of_check(paths: Paths, identity: str) -> AsyncIterator[str]:
    """Hold the name of a check: while it is held, nobody takes its things for left behind."""
    name = f"{PREFIX}{identity}"
    lock = Records(paths).lock(name)
    if not await lock.wait(_NAME_SECONDS):  # who sweeps may have taken the new file for an old one
        raise Conflict(f"a check {name} is going on", hint="try again")
    with lock:
        try:
            yield name
        finally:
            lock.path.unlink(missing_ok=True)


@asynccontextmanager
async def check_container(
    builder: Builder, name: str, files: CommitFiles, record: Environment | None, bounds: Bounds
) -> AsyncIterator[str]:
    """Start a container with a copy of a commit's files in its environment, and remove both.

    Raises:
        ConsentRequired: the environment's image is gone.
    """
    engine = builder.engine
    if not builder.network.startswith(CONTAINER):
        await engine.ensure_network(builder.network, {LABEL_INSTANCE: builder.paths.instance})
    if record is None:
        image = await require_image(engine, builder.config.image)
    elif await inspect_image(engine, image := record.image) is None:
        hint = f"ctui env build --base {files.commit[:12]}"
        raise ConsentRequired(f"the environment {record.id} has no image any more", hint=hint)
    if record is not None:
        Records(builder.paths).touch(record)
    own = private_folder(Records(builder.paths).place(name))
    waiting = Waiting(
        name=name,
        environment=name,
        image=image,
        workspace=own / "workspace",
        own=own,
        seconds=bounds.seconds + _LEFT_SECONDS,
    )
    try:
        await copy_files(builder, files, record, waiting.workspace)
        async with waiting_container(builder, waiting) as container:
            yield container
    finally:
        await asyncio.to_thread(erase, own)


def check_argv(command: str) -> tuple[str, ...]:
    """Return what runs a shell's command in the container of a check."""
    return (*AS_SET_UP, "/bin/sh", "-c", command)


async def follow_check(
    process: SandboxProcess,
    disk: Path,
    bounds: Bounds,
    heard: Callable[[str], None],
    redactor: Redactor,
) -> Ended:
    """Follow a check to its end, or that of its time.

    Args:
        process: of `check_argv`; its container is to be removed afterwards.
        disk: a folder on the disk whose free space is watched.
        bounds: of time and disk.
        heard: is told each line that it prints, safe to show.
        redactor: takes secrets out of them.

    Raises:
        Refused: the disk is nearly full.
    """
    try:
        await process.end_input()
        reading = _read(process, lambda line: heard(_shown(line, redactor)))
        if not await _carry(reading, disk, bounds):
            return Ended(None, in_time=False)
        return Ended(await process.exit_code())
    finally:
        process.close()


async def _carry(printed: Coroutine[None, None, None], disk: Path, bounds: Bounds) -> bool:
    """Pass on what it prints until its end, as long as there is space; return False out of time."""
    deadline = time.monotonic() + bounds.seconds
    reading = asyncio.ensure_future(printed)
    try:
        while not reading.done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            await asyncio.wait({reading}, timeout=min(_LOOK_SECONDS, left))
            if shutil.disk_usage(disk).free < bounds.free:
                hint = "make room (`ctui clean`), or lower tasks.free_space"
                raise Refused("the check was stopped: the disk is nearly full", hint=hint)
        await reading
        return True
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait({reading})


async def _read(process: SandboxProcess, heard: Callable[[bytes], None]) -> None:
    rests = {"out": b"", "err": b""}
    while parts := await process.read():
        for stream, data in parts:
            *lines, rest = (rests[stream] + data).split(b"\n")
            while len(rest) > _LINE:
                lines.append(rest[:_LINE])
                rest = rest[_LINE:]
            rests[stream] = rest
            for line in lines:
                heard(line)
    for rest in filter(None, rests.values()):
        heard(rest)


def _shown(line: bytes, redactor: Redactor) -> str:
    text = line.removesuffix(b"\r").decode("utf-8", "replace")
    return sanitise(redactor.redact_text(text))


# -- what killed processes left


@contextmanager
def left_checks(paths: Paths) -> Iterator[list[str]]:
    """Give the names of checks whose process was killed; nobody else has them meanwhile."""
    records = Records(paths)
    locks = []
    for path in sorted(records.lock(PREFIX).path.parent.glob(f"{PREFIX}*.lock")):
        lock = records.lock(path.stem)
        if lock.acquire(0):
            locks.append(lock)
    try:
        yield [lock.path.stem for lock in locks]
    finally:
        for lock in locks:
            lock.release()


async def sweep_checks(engine: Engine, paths: Paths) -> list[str]:
    """Remove the containers and folders of checks whose process was killed; return their names."""
    with left_checks(paths) as names:
        for name in names:
            labels = {LABEL_INSTANCE: paths.instance, LABEL_ENVIRONMENT: name}
            for one in await engine.find(labels):
                await engine.remove(one.id)
            await asyncio.to_thread(forget_check, paths, name)
        return names


def forget_check(paths: Paths, name: str) -> None:
    """Delete the files of a check that has no container any more."""
    records = Records(paths)
    erase(records.place(name))
    records.lock(name).path.unlink(missing_ok=True)
