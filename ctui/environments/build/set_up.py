"""The set-up of an environment: commands in a sealed container whose writable root is kept."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.environments.definition.definition import Step
from ctui.errors import CtuiError, ExternalFailure, Refused
from ctui.humanize import duration
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.spec import SandboxSpec
from ctui.text import one_line

_SECONDS = 3600.0
_LOOK_SECONDS = 1.0
_MARK = "::ctui-step::"
_LOG_LIMIT = 8 << 20
TIDYING = "ctui"
"""Key of ctui's own last step."""

VARIABLES = "/ctui/set-up.sh"
"""File with the variables of a set-up."""

AS_SET_UP = ("/bin/sh", "-c", f'. {VARIABLES}; cd /workspace 2>/dev/null; exec "$@"', "ctui")
"""Beginning of a command that has them; in a file, as a proxy's address can hold a password."""

SCRIPT = f"""\
. {VARIABLES}
cd /workspace 2>/dev/null || cd /
n=0
for step in "$@"; do
  n=$((n + 1))
  echo "{_MARK}$n"
  /bin/sh -c "$step" </dev/null || exit $?
done
"""
"""Script of a set-up's container: each argument is one step."""


class SetUpFailed(ExternalFailure):
    """A step of a set-up failed; what it had written until then may be kept."""

    environment = ""
    """The id of its environment."""


class Limits(NamedTuple):
    """Bounds of a set-up."""

    disk: Path
    """A folder on the disk whose free space is watched."""
    free: int
    """Bytes that must be left there."""
    seconds: float = _SECONDS


class Log:
    """The file that keeps all that a build and a set-up printed, up to a size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._left = _LOG_LIMIT
        path.write_bytes(b"")
        path.chmod(0o600)

    def write(self, line: bytes) -> None:
        """Append one line."""
        if self._left > 0:
            with self.path.open("ab") as file:
                file.write(line[: self._left] + b"\n")
            self._left -= len(line) + 1


async def run_steps(
    engine: Engine,
    spec: SandboxSpec,
    steps: tuple[Step, ...],
    limits: Limits,
    log: Log,
    progress: Callable[[str], None],
    failed: Callable[[str], Awaitable[None]],
) -> str:
    """Run the steps in a new container, and return it, stopped and with what it wrote.

    Args:
        engine: that makes it.
        spec: of the container.
        steps: that its script runs.
        limits: of time and space.
        log: keeps what is printed.
        progress: is told what is done.
        failed: keeps what there is in the container when a step failed.

    Raises:
        SetUpFailed: a step failed; the container is gone, its log is kept.
        Refused: it took too long, or the disk is full.
    """
    container = await engine.create(spec)
    try:
        await engine.start(container)
        said = _Said(steps, log, progress)
        following = asyncio.ensure_future(_follow(engine, container, said))
        try:
            await _watch(following, said, limits)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError, CtuiError):
                await following
        state = await engine.state(container)
        if state.exit_code:
            with suppress(CtuiError):
                await failed(container)
            raise said.failure(state.exit_code, out_of_memory=state.oom_killed)
    except BaseException:
        with suppress(CtuiError):
            await asyncio.shield(engine.remove(container))
        raise
    return container


class _Said:
    """Output of a set-up so far."""

    def __init__(self, steps: tuple[Step, ...], log: Log, progress: Callable[[str], None]) -> None:
        self._steps = steps
        self._log = log
        self._progress = progress
        self._number = 0
        self._since = time.monotonic()
        self.last = ""

    @property
    def step(self) -> str:
        if not 0 < self._number <= len(self._steps):
            return "the set-up"
        step = self._steps[self._number - 1]
        return "tidying up HOME" if step.key == TIDYING else one_line(step.command, 60)

    def line(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        if text.startswith(_MARK) and text.removeprefix(_MARK) == str(self._number + 1):
            self._number += 1
            self._since = time.monotonic()
            self._log.write(f"$ {self.step}".encode())
            self._progress(f"{self._number}/{len(self._steps)} {self.step}")
            return
        self._log.write(data)
        if shown := one_line(text, 100):
            self.last = shown
            self._progress(f"{self.step} ({duration(time.monotonic() - self._since)}): {shown}")

    def failure(self, code: int, *, out_of_memory: bool) -> SetUpFailed:
        why = "out of memory" if out_of_memory else f"exit code {code}"
        last = f": {self.last}" if self.last else ""
        number = self._log.path.stem
        look = f"`ctui env shell --failed --id {number}` looks into it"
        failed = SetUpFailed(
            f"the set-up failed in `{self.step}` ({why}){last}",
            hint=f"{look}; all of it: {self._log.path}",
        )
        failed.environment = number
        return failed


async def _follow(engine: Engine, container: str, said: _Said) -> None:
    async for batch in follow_log(engine.endpoint, container):
        for line in batch:
            said.line(line.data)


async def _watch(following: asyncio.Future[None], said: _Said, limits: Limits) -> None:
    """Wait for the end of the log, as long as there is time and space."""
    deadline = time.monotonic() + limits.seconds
    while not following.done():
        await asyncio.wait({following}, timeout=_LOOK_SECONDS)
        if time.monotonic() > deadline:
            raise Refused(
                f"the set-up was stopped after {duration(limits.seconds)} in `{said.step}`",
                hint="what waits for an answer gets none; run it in a Dockerfile, or mend it",
            )
        if shutil.disk_usage(limits.disk).free < limits.free:
            raise Refused(
                f"the set-up was stopped: the disk is nearly full, in `{said.step}`",
                hint="make room (`ctui clean`), or lower tasks.free_space",
            )
    await following
