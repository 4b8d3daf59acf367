"""Commands of a person in an environment, without a task."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ctui.client.access.shells import SHELL, TaskProcess, terminal_environment
from ctui.client.lending import lender
from ctui.environments.build.provision import Provision, build_network
from ctui.environments.build.set_up import AS_SET_UP
from ctui.environments.build.shell import shell_container
from ctui.environments.build.stages import Builder
from ctui.sandbox.commands import Command, Size
from ctui.sandbox.docker.docker_commands import DockerCommands
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.tasks.runs.launch import network_name
from ctui.worktrees.owner import TASK_UID

if TYPE_CHECKING:
    from ctui.config import Config
    from ctui.environments.records import Environment
    from ctui.paths import Paths


@asynccontextmanager
async def environment_process(
    paths: Paths,
    config: Config,
    record: Environment,
    argv: tuple[str, ...],
    *,
    failed: bool,
    terminal: Size | None,
) -> AsyncIterator[TaskProcess]:
    """Run a command, or a shell, in an environment; nothing is left of it.

    Raises:
        CtuiError: what prevents that.
    """
    async with AsyncExitStack() as stack:
        name = f"{record.id}-{os.getpid()}"
        builder = await stack.enter_async_context(
            network_builder(paths, config, name, record.repository)
        )
        container = await stack.enter_async_context(shell_container(builder, record, failed=failed))
        env = terminal_environment(os.environ) if terminal else {}
        command = Command((*AS_SET_UP, *(argv or SHELL)), env, terminal)
        process = await DockerCommands(resolve_endpoint()).run(container, command)

        async def hang_up(_signal: object) -> None:
            await builder.engine.remove(container)

        yield TaskProcess(process, hang_up)


@asynccontextmanager
async def network_builder(
    paths: Paths, config: Config, name: str, repository: str
) -> AsyncIterator[Builder]:
    """Have an engine, and a network of builds on it, for commands in an environment.

    Args:
        paths: whose.
        config: of the person.
        name: of what it is for; nothing else has it at the same time.
        repository: whose rules of hosts count.
    """
    root = os.geteuid() == 0
    engine = await Engine.connect()
    lend = lender(paths) if config.network.gateway else None
    unsealed = network_name(paths.instance, config.sandbox)
    given = Provision(paths, config, unsealed, TASK_UID, lend=lend)
    try:
        async with build_network(given, name, repository, engine) as network:
            yield Builder(
                engine=engine,
                paths=paths,
                config=config,
                network=network.name,
                proxies=network.proxies,
                uid=TASK_UID if root else os.geteuid(),
                gid=TASK_UID if root else os.getegid(),
                progress=given.progress,
            )
    finally:
        await engine.close()
