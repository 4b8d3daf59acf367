"""Commands of a person in a task's sandbox: where it is, with what environment, and their end."""

from __future__ import annotations

import asyncio
import os
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from ctui.errors import Conflict, CtuiError, NotFound
from ctui.paths import private_folder
from ctui.sandbox.commands import Command, SandboxCommands, SandboxProcess, Size
from ctui.sandbox.docker.docker_commands import DockerCommands
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.sandbox.proxies import past_proxies, proxy_environment
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.paths import Paths

_MARK = "SHELL_OF_CTUI"
"""Variable that all processes of a command have, by which they are found again."""
_NONE: Mapping[str, str] = MappingProxyType({})
_TERMINAL_VARIABLES = ("TERM", "COLORTERM")
_PLAIN = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_BRIEF_SECONDS = 5.0
"""Time limit of a command of ctui's own there."""
_FIRST_BEAT_SECONDS = 1.0
"""Time of a shell that is not worth a word to the driver."""
_KILLED = {None, 128 + 9}
_ENDED_TRIES = 10
_ENDED_SECONDS = 0.05
"""Pause between looks: a sandbox that ends has not ended yet."""
_HAS_SANDBOX = {TaskState.RUNNING, TaskState.WAITING, TaskState.IDLE}

Signal = Literal["HUP", "INT", "TERM"]
_HangUp = Callable[[Signal], Awaitable[None]]

SHELL = ("/bin/sh", "-c", 'command -v bash >/dev/null && exec bash; exec "${0##*/}"', "/bin/sh")
"""The shell that a person gets: bash where the image has one."""
# Its own mark is not looked for: the process that sends the signal has none.
_HANG_UP = (
    "for one in /proc/[0-9]*; do "
    'tr "\\0" "\\n" 2>/dev/null <"$one/environ" | grep -qxF "$1" && '
    'kill -s "$2" "${one#/proc/}" 2>/dev/null; done; :'
)


# Port 3128 of 127.0.0.1 listens: the relay has begun to start what does.
_AWAIT_NETWORK = (
    'n=0; until grep -q "0100007F:0C38 00000000:0000 0A" /proc/net/tcp || [ $n -ge 40 ]; '
    "do n=$((n+1)); sleep 0.1; done"
)


class TaskCommands:
    """The way to commands in one task's sandbox."""

    def __init__(
        self,
        task: Task,
        sandbox: str,
        commands: SandboxCommands,
        environment: Mapping[str, str],
        typed: Callable[[], None],
    ) -> None:
        self.task = task
        self.typed = typed
        """To be called when there is input."""
        self._sandbox = sandbox
        self._commands = commands
        self._environment = environment

    async def run(
        self,
        argv: tuple[str, ...] = SHELL,
        *,
        terminal: Size | None = None,
        secrets: Mapping[str, str] = _NONE,
    ) -> TaskProcess:
        """Start a command as the task's user, in its folder, with the environment of its CLI.

        Args:
            argv: the command.
            terminal: the size of its terminal; None for pipes.
            secrets: variables that nobody but the command may see (`secrets_of_shells`).

        Raises:
            CtuiError: what prevents that, and what to do.
        """
        mark = uuid.uuid4().hex
        env = {**self._environment, _MARK: mark}
        if terminal is not None:
            env |= terminal_environment(os.environ)
        try:
            process = await self._started(Command(argv, env, terminal), secrets)
        except Conflict as error:
            raise Conflict(
                f"the sandbox of {self.task.id} takes no command now: {error.message}",
                hint=f"`ctui task show {self.task.id}` tells how it is",
            ) from error
        except NotFound as error:
            raise NotFound(
                f"the sandbox of {self.task.id} is not on this engine",
                hint="it ended just now, or DOCKER_HOST names another engine than the driver's",
            ) from error
        return TaskProcess(process, lambda signal: self._hang_up(mark, signal))

    async def _started(self, command: Command, secrets: Mapping[str, str]) -> SandboxProcess:
        if not secrets:
            return await self._commands.run(self._sandbox, command)
        from ctui.client.access.secrets_of_shells import beginning, hand_over

        command = command._replace(argv=beginning(command.argv))
        process = await self._commands.run(self._sandbox, command)
        await hand_over(process, secrets)
        return process

    async def ended_with_its_sandbox(self, code: int | None) -> bool:
        """Return True where a command was killed because its sandbox was."""
        if code not in _KILLED:
            return False
        for _ in range(_ENDED_TRIES):
            if not await self._commands.is_running(self._sandbox):
                return True
            await asyncio.sleep(_ENDED_SECONDS)
        return False

    async def _hang_up(self, mark: str, signal: Signal) -> None:
        """Send a signal to all that a command has started: the engine would let it run on."""
        argv = ("/bin/sh", "-c", _HANG_UP, "/bin/sh", f"{_MARK}={mark}", signal)
        await _carry_out(self._commands, self._sandbox, argv)


class TaskProcess:
    """A command in a task's sandbox, which can be ended."""

    def __init__(self, process: SandboxProcess, hang_up: _HangUp) -> None:
        self.streams = process
        self._hang_up = hang_up

    async def hang_up(self, signal: Signal = "HUP") -> None:
        """Send a signal to it and to all that it has started."""
        await self._hang_up(signal)


@asynccontextmanager
async def task_commands(paths: Paths, task_id: str) -> AsyncIterator[TaskCommands]:
    """Give the way to commands in a task's sandbox, and keep that awake until it is left.

    A task that sleeps or ended gets a sandbox without its CLI.

    Raises:
        NotFound: there is no such task.
        Conflict: it cannot have a sandbox that takes commands now.
    """
    private_folder(paths.state)
    with closing(Store(paths.database)) as store:
        task = store.tasks.get(task_id)
        run = store.runs.last(task_id)
        given = store.variables.of(task_id)
    if task.paused:
        hint = f"`ctui task resume {task_id}`, then again"
        raise Conflict(f"{task_id} is paused, and takes no command", hint=hint)
    known = run is not None and run.ended is None and task.state in _HAS_SANDBOX
    hold = _Hold(paths, task_id)
    beating: asyncio.Task[None] | None = None
    try:
        # Most often it is there, and then nothing of this needs a driver.
        sandbox = run.container if run is not None and known else await hold.open()
        beating = asyncio.create_task(hold.beat())
        environment = shell_environment(task, os.environ, given)
        commands = DockerCommands(resolve_endpoint())
        if task.network != "unsealed" and not known:
            await _carry_out(commands, sandbox, ("/bin/sh", "-c", _AWAIT_NETWORK))
        yield TaskCommands(task, sandbox, commands, environment, hold.typed)
    finally:
        if beating is not None:
            beating.cancel()
        await hold.end()


async def _carry_out(commands: SandboxCommands, sandbox: str, argv: tuple[str, ...]) -> None:
    """Run a command of ctui's own to its end, whatever comes of it."""
    with suppress(CtuiError, OSError, TimeoutError):
        async with asyncio.timeout(_BRIEF_SECONDS):
            process = await commands.run(sandbox, Command(argv))
            while await process.read():
                pass
            process.close()


class _Hold:
    """News of an open shell for the driver; whoever is quick needs none, and imports nothing."""

    def __init__(self, paths: Paths, task_id: str) -> None:
        self._paths = paths
        self._task = task_id
        self._shell = str(uuid.uuid4())
        self._typed = time.monotonic()
        self._client: Client | None = None

    def typed(self) -> None:
        """Note that there was input."""
        self._typed = time.monotonic()

    async def open(self) -> str:
        """Return the task's sandbox, which is made where there is none."""
        return await self._say(wanted=True)

    async def beat(self) -> None:
        """Tell it again and again; a driver that is gone is replaced by the next one."""
        if self._client is None:
            await asyncio.sleep(_FIRST_BEAT_SECONDS)
        from ctui.tasks.mailbox.open_shells import BEAT_SECONDS

        while True:
            with suppress(CtuiError):
                await self._say(idle=time.monotonic() - self._typed)
            await asyncio.sleep(BEAT_SECONDS)

    async def end(self) -> None:
        """Tell that it is over, if anything was told."""
        if self._client is None:
            return
        with suppress(CtuiError):
            await self._say(over=True)
        await self._client.close()

    async def _say(self, *, idle: float = 0.0, wanted: bool = False, over: bool = False) -> str:
        from ctui.client.client import Client
        from ctui.tasks.calls import HoldShell

        self._client = self._client or Client(self._paths)
        call = HoldShell(self._task, self._shell, idle=idle, open=wanted, over=over)
        return await self._client.call(call)


def shell_environment(
    task: Task, environ: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """Return what the CLI's commands have beside the sandbox's own environment.

    `given` are the task's variables. The login is not among them; secrets come by another way,
    because the engine is told of these.
    """
    if task.network != "unsealed":
        return dict(given)  # its sandbox has the gateway's proxies, and the person's are no use
    names = [one.name for one in task.options.services]
    return {**past_proxies(proxy_environment(environ, in_sandbox=True), names), **given}


def terminal_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what programs need to know of the person's terminal."""
    found = {name: environ.get(name, "") for name in _TERMINAL_VARIABLES}
    return {name: value for name, value in found.items() if _PLAIN.fullmatch(value)}
