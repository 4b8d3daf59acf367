"""Everything that a run needs before its sandbox is made."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from ctui.claude.task_home import RunOptions, TaskHome, deny_rules_of, first_line, task_home
from ctui.config import Config, SandboxConfig, parse_size
from ctui.sandbox.proxies import proxy_environment
from ctui.sandbox.spec import (
    HOME,
    LABEL_INSTANCE,
    LABEL_RUN,
    LABEL_TASK,
    Limits,
    Mount,
    SandboxSpec,
)
from ctui.sandbox.surroundings import surroundings
from ctui.tasks.mailbox.ports import Account, BuiltEnvironment, Provided, Services
from ctui.tasks.model import SandboxFacts, Task
from ctui.tasks.runs.given import given_environment


class Launch(NamedTuple):
    """A run that is ready to begin."""

    number: int
    spec: SandboxSpec
    first_line: bytes
    facts: SandboxFacts
    """Facts about its start, as a person reads them."""
    built: BuiltEnvironment | None = None
    """The environment that was built for it just now, if it waited for one."""


def home_volume(instance: str, task_id: str) -> str:
    """Return the name of the volume that keeps a task's home folder from run to run."""
    return f"ctui-{instance[:8]}-{task_id}-home"


def environment_volumes(instance: str, task: Task) -> tuple[Mount, ...]:
    """Return the volumes that the task's environment asks for; no other task has them."""
    return tuple(
        Mount(f"ctui-{instance[:8]}-{task.id}-{name}", target, kind="volume")
        for target, name in task.options.volumes.items()
    )


def sandbox_name(instance: str, task_id: str, number: int) -> str:
    """Return the name of a run's sandbox: several instances can share an engine."""
    return f"ctui-{instance[:8]}-{task_id}-{number}"


def network_name(instance: str, config: SandboxConfig) -> str:
    """Return the network that tasks join: the names of one instance's are nobody else's."""
    return config.network or f"ctui-{instance[:8]}"


async def prepare(
    services: Services, config: Config, task: Task, account: Account | None
) -> Launch:
    """Make the task's files ready, and describe its next sandbox.

    Raises:
        CtuiError: the repository or worktree is not what it was, or the image is missing.
    """
    home = await home_of(services, config, task, account)
    provided = await services.workspace.provide(task, home.managed)
    image = await services.runner.ensure_image(config.image, task.options.environment)
    last = services.store.runs.last(task.id)
    number = last.number + 1 if last else 1
    sandbox, instance = config.sandbox, services.instance
    volume = Mount(home_volume(instance, task.id), HOME, kind="volume")
    spec = SandboxSpec(
        name=sandbox_name(instance, task.id, number),
        image=image,
        command=home.arguments,
        uid=provided.uid,
        gid=provided.gid,
        env={
            **surroundings(os.environ),
            **home.env,
        },
        mounts=(*provided.mounts, volume, *environment_volumes(instance, task)),
        network=network_name(instance, sandbox),
        runtime=sandbox.runtime,
        debugger=sandbox.debugger,
        labels={LABEL_INSTANCE: instance, LABEL_TASK: task.id, LABEL_RUN: str(number)},
        limits=_limits(sandbox),
        directory=provided.directory,
    )
    facts = _facts(config, task, spec, provided)
    if account is not None and account.servers is not None:
        facts = msgspec.structs.replace(facts, skipped=account.servers.skipped)
    given = given_environment(services, task, account)
    return Launch(number, spec, first_line_of(home, account, given), facts)


async def home_of(
    services: Services, config: Config, task: Task, account: Account | None
) -> TaskHome:
    """Return the CLI's command line, settings and surroundings for the task's next run."""
    options = task.options
    left = None if options.budget is None else max(0.0, options.budget - task.cost)
    settings = await _base_files(services, task, ".claude/settings.json")
    memories = await _base_files(services, task, "CLAUDE.md")
    return task_home(
        RunOptions(
            session=task.session,
            # The relay looks into the home, and turns it round where this is not so.
            resume=services.store.runs.last(task.id) is not None,
            branch=task.branch or "(detached)",
            model=options.model or config.claude.model,
            permission_mode=options.permission_mode,
            skip_permissions=options.skip_permissions,
            budget=left,
            trusted=await services.workspace.is_trusted(task),
            directory=task.directory,
            claude_md="\n".join(text for text in memories.values() if text),
            deny_rules=tuple(
                rule for folder, text in settings.items() for rule in deny_rules_of(text, folder)
            ),
            project_settings=settings[""],
            base_url=account.base_url if account else "",
            home=HOME,
            mcp=bool(options.mcp_servers),
            approval_tool=options.approval_tool,
        )
    )


async def _base_files(services: Services, task: Task, name: str) -> dict[str, str]:
    """Return the files of a name by folder, from the worktree's root to where the task starts."""
    parts = PurePosixPath(task.directory).parts
    folders = ["", *("/".join(parts[: end + 1]) for end in range(len(parts)))]
    return {
        folder: await services.workspace.base_file(task, posixpath.join(folder, name))
        for folder in folders
    }


def first_line_of(home: TaskHome, account: Account | None, given: Mapping[str, str]) -> bytes:
    """Return the relay's first line, the only place where secrets are.

    `given` are the variables of the task; the login is stronger than they.
    """
    if account is None:
        return b""
    servers = account.servers.content if account.servers else ""
    # The address of a proxy can hold a password.
    proxies = proxy_environment(account.environ, in_sandbox=True)
    secrets = {**proxies, **given, **account.credential.environment()}
    return first_line(home, secrets, servers)


def _limits(config: SandboxConfig) -> Limits:
    return Limits(
        memory=parse_size(config.memory),
        cpus=config.cpus,
        pids=config.pids,
        tmp=parse_size(config.tmp),
    )


def _facts(config: Config, task: Task, spec: SandboxSpec, provided: Provided) -> SandboxFacts:
    sandbox, options = config.sandbox, task.options
    return SandboxFacts(
        image=spec.image,
        memory=sandbox.memory,
        cpus=sandbox.cpus,
        pids=sandbox.pids,
        tmp=sandbox.tmp,
        network=spec.network,
        debugger=spec.debugger,
        permission_mode="bypassPermissions"
        if options.skip_permissions
        else options.permission_mode,
        trusted=options.trusted,
        isolated=provided.isolated,
    )
