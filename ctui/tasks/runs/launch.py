"""Everything that a run needs before its sandbox is made."""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from ctui.claude.personal.collect import (
    NOTHING,
    ManagedFile,
    Personal,
    collect,
    names_something,
)
from ctui.claude.task_home import RunOptions, TaskHome, deny_rules_of, first_line, task_home
from ctui.config import Config, SandboxConfig, parse_size
from ctui.gateway.custom_headers import CUSTOM_HEADERS, custom_headers_text
from ctui.paths import MANAGED
from ctui.sandbox.docker.services.naming import holder_name
from ctui.sandbox.docker.volumes import SHARED, shared_folder
from ctui.sandbox.proxies import past_proxies, proxy_environment
from ctui.sandbox.services import refuse_shadowing
from ctui.sandbox.spec import (
    HOME,
    LABEL_INSTANCE,
    LABEL_RUN,
    LABEL_SERVICE,
    LABEL_TASK,
    NO_NETWORK,
    Limits,
    Mount,
    SandboxSpec,
)
from ctui.sandbox.surroundings import surroundings
from ctui.tasks.mailbox.ports import Account, BuiltEnvironment, Provided, Services
from ctui.tasks.model import SandboxFacts, Task
from ctui.tasks.network.lent import lent_environment, lent_to, problems_of
from ctui.tasks.network.sealed import (
    SEALED,
    SealedRun,
    access_of,
    is_sealed,
    login_of,
    sealed_environment,
    task_policy,
)
from ctui.tasks.runs.given import given_environment
from ctui.tasks.runs.terminal_files import has_terminals, terminal_files
from ctui.tasks.turn import TurnFiles


class Launch(NamedTuple):
    """A run that is ready to begin."""

    number: int
    spec: SandboxSpec
    first_line: bytes
    facts: SandboxFacts
    """Facts about its start, as a person reads them."""
    sealed: SealedRun | None = None
    """Its part of the network; None where it is on the engine's."""
    built: BuiltEnvironment | None = None
    """The environment that was built for it just now, if it waited for one."""
    before: TurnFiles | None = None
    """Snapshot of the files that it begins with."""


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


def shares(config: SandboxConfig, task: Task) -> bool:
    """Return True if the task has the folder that the tasks of its repository share."""
    return config.shared_folder and SHARED not in task.options.volumes


def network_name(instance: str, config: SandboxConfig) -> str:
    """Return the network that tasks join: the names of one instance's are nobody else's."""
    return config.network or f"ctui-{instance[:8]}"


class _Parts(NamedTuple):
    """Parts of a run that its sandbox is described from."""

    number: int
    image: str
    home: TaskHome
    provided: Provided
    sealed: SealedRun | None


async def prepare(
    services: Services, config: Config, task: Task, account: Account | None
) -> Launch:
    """Make the task's files ready, and describe its next sandbox.

    Raises:
        CtuiError: the repository or worktree is not what it was, or the image is missing.
    """
    own = await _personal(services, config)
    home = await home_of(services, config, task, account, own)
    managed = {name: ManagedFile(text.encode()) for name, text in home.managed.items()}
    files = {**own.files, **managed, **terminal_files(task.options)}
    provided = await services.workspace.provide(task, files)
    image = await services.runner.ensure_image(config.image, task.options.environment)
    last = services.store.runs.last(task.id)
    number = last.number + 1 if last else 1
    sealed = sealed_run_of(services, config, task, number, account)
    spec = _spec(services, config, task, _Parts(number, image, home, provided, sealed))
    facts = msgspec.structs.replace(
        _facts(config, task, spec, provided),
        personal=own.said,
        skipped=(*_left_out(account), *own.left_out),
    )
    given = given_environment(services, task, account)
    greeting = first_line_of(home, account, given, task)
    return Launch(number, spec, greeting, facts, sealed)


def _spec(services: Services, config: Config, task: Task, parts: _Parts) -> SandboxSpec:
    sandbox, instance, sealed = config.sandbox, services.instance, parts.sealed
    return SandboxSpec(
        name=sandbox_name(instance, task.id, parts.number),
        image=parts.image,
        command=parts.home.arguments,
        uid=parts.provided.uid,
        gid=parts.provided.gid,
        env={
            **surroundings(os.environ),
            **(lent_environment(config) if sealed else {}),
            **parts.home.env,
            "CTUI_TASK": task.id,
            **_network_environment(task, sealed),
        },
        mounts=_mounts(instance, sandbox, task, parts),
        network=NO_NETWORK if sealed else network_name(instance, sandbox),
        resolver="127.0.0.1" if sealed else "",
        network_of=holder_name(instance, task.id) if task.options.services else "",
        services=task.options.services,
        authority=services.authority() if sealed and config.gateway.credentials else "",
        runtime=sandbox.runtime,
        debugger=sandbox.debugger,
        labels={
            LABEL_INSTANCE: instance,
            LABEL_TASK: task.id,
            LABEL_RUN: str(parts.number),
            LABEL_SERVICE: "",  # an image's labels are its containers'
        },
        limits=_limits(sandbox),
        directory=parts.provided.directory,
    )


def _mounts(instance: str, sandbox: SandboxConfig, task: Task, parts: _Parts) -> tuple[Mount, ...]:
    return (
        *parts.provided.mounts,
        Mount(home_volume(instance, task.id), HOME, kind="volume"),
        *([shared_folder(instance, task.repository)] if shares(sandbox, task) else []),
        *environment_volumes(instance, task),
        *([parts.sealed.mount] if parts.sealed else []),
    )


def _left_out(account: Account | None) -> tuple[str, ...]:
    """Return a line for each of the person's servers and loans that the run does not have."""
    if account is None:
        return ()
    servers = account.servers.skipped if account.servers else ()
    return (*servers, *(problems_of(account.lent) if account.lent else ()))


def sealed_run_of(
    services: Services, config: Config, task: Task, number: int, account: Account | None
) -> SealedRun | None:
    """Return what a run has of the network; None where it is on the engine's."""
    if not is_sealed(task):
        return None
    rules = services.store.host_rules.of(task.repository, task.id)
    policy = task_policy(task, config, rules)
    access = access_of(task.id, number, policy, services.sockets, task.options.budget)
    access = lent_to(access, config, account.lent if account is not None else None)
    return SealedRun(access, login_of(task, account, config))


def _network_environment(task: Task, sealed: SealedRun | None) -> Mapping[str, str]:
    if sealed is None:
        return {}
    return sealed_environment(sealed.login, task.options.services, task.options.platform)


async def _personal(services: Services, config: Config) -> Personal:
    if not names_something(config.claude):
        return NOTHING
    return await asyncio.to_thread(collect, config.claude, services.config_folder, MANAGED)


async def home_of(
    services: Services,
    config: Config,
    task: Task,
    account: Account | None,
    own: Personal = NOTHING,
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
            # The address of a sealed run's calls is the gateway's business.
            base_url=account.base_url if account and not is_sealed(task) else "",
            home=HOME,
            mcp=bool(options.mcp_servers),
            terminals=has_terminals(options),
            approval_tool=options.approval_tool,
            sealed=is_sealed(task),
            memory=own.memory,
            hooks=own.hooks,
            output_style=own.style,
            shared=SHARED if shares(config.sandbox, task) else "",
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


def first_line_of(
    home: TaskHome, account: Account | None, given: Mapping[str, str], task: Task
) -> bytes:
    """Return the relay's first line, the only place where secrets are.

    Args:
        home: the files and the command line.
        account: the login, which a sealed run does not get, and the secrets of MCP servers.
        given: the variables of the task; the login is stronger than they.
        task: where it is sealed, the gateway has the login, and the person's proxies.
    """
    if account is None:
        return b""
    servers = account.servers.content if account.servers else ""
    beside, start = task.options.services, task.options.start_commands
    if is_sealed(task):
        refuse_shadowing(beside, "", given)
        return first_line(home, given, servers, start)
    # The address of a proxy can hold a password.
    proxies = proxy_environment(account.environ, in_sandbox=True)
    refuse_shadowing(beside, account.base_url, {**proxies, **given})
    direct = past_proxies(proxies, [one.name for one in beside])
    headers = {CUSTOM_HEADERS: custom_headers_text(account.headers)} if account.headers else {}
    secrets = {**direct, **given, **headers, **account.credential.environment()}
    return first_line(home, secrets, servers, start)


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
        network=SEALED if spec.network == NO_NETWORK else spec.network,
        debugger=spec.debugger,
        permission_mode="bypassPermissions"
        if options.skip_permissions
        else options.permission_mode,
        trusted=options.trusted,
        isolated=provided.isolated,
        shared=shares(sandbox, task),
    )
