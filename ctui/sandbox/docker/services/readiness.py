"""Waiting until a service is ready: its own command, or the port that it listens on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ctui.errors import Conflict, CtuiError, ExternalFailure, NotFound
from ctui.sandbox.commands import Command
from ctui.sandbox.docker.docker_commands import DockerCommands
from ctui.sandbox.docker.engine import ContainerState, Engine
from ctui.sandbox.docker.services.bodies import BASH, LOOPBACK
from ctui.sandbox.docker.services.image_facts import ImageFacts
from ctui.sandbox.services import Service

_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 1.5
"""A look starts a process in a container: a machine that is busy has better to do."""
_LOOK_SECONDS = 10.0
"""Time limit of one look."""
_SETTLE_SECONDS = 1.0
"""So long a service runs that nothing is known of, before it counts as ready."""
_CONNECT = "exec 3<>/dev/tcp/$0/$1"


async def wait_ready(
    engine: Engine, service: Service, facts: ImageFacts, container: str, holder: str, task: str
) -> None:
    """Return once a service that was started is ready.

    Raises:
        ExternalFailure: it ended, or was not ready in time; with where its log is.
        NotFound: it was removed meanwhile.
    """
    look = _look(DockerCommands(engine.endpoint), service, facts, container, holder)
    hint = f"`ctui task logs {task} --service {service.name}` has what it said"
    pause = _PAUSE_SECONDS
    try:
        async with asyncio.timeout(service.wait):
            while True:
                state = await engine.state(container)
                if not state.running:
                    raise ExternalFailure(_ended(service, state), hint=hint)
                if await look():
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    except TimeoutError as error:
        raise ExternalFailure(
            f"the service {service.name} was not ready within {service.wait} seconds", hint=hint
        ) from error


def _ended(service: Service, state: ContainerState) -> str:
    why = "ran out of memory" if state.oom_killed else f"ended with exit code {state.exit_code}"
    return f"the service {service.name} {why} before it was ready"


def _look(
    commands: DockerCommands, service: Service, facts: ImageFacts, container: str, holder: str
) -> Callable[[], Awaitable[bool]]:
    """Return what looks once if a service is ready."""
    if service.checked and facts.health:
        return lambda: _succeeds(commands, container, facts.health)
    if service.checked and facts.ports:

        async def any_port() -> bool:
            for port in facts.ports:
                if await _succeeds(commands, holder, (BASH, "-c", _CONNECT, LOOPBACK, str(port))):
                    return True
            return False

        return any_port
    began = asyncio.get_running_loop().time()

    async def settled() -> bool:
        return asyncio.get_running_loop().time() - began > _SETTLE_SECONDS

    return settled


async def _succeeds(commands: DockerCommands, container: str, argv: tuple[str, ...]) -> bool:
    """Run a command in a container; False where it fails, hangs, or the container is gone."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            process = await commands.run(container, Command(argv))
            try:
                while await process.read():
                    pass
                return await process.exit_code() == 0
            finally:
                process.close()
    except (TimeoutError, OSError, Conflict, NotFound):
        return False
    except CtuiError:
        return False  # the state of its container tells more, at the next look
