"""Everything that a run needs before its container is created."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import NamedTuple

from ctui.claude.task_home import RunOptions, TaskHome, deny_rules_of, first_line, task_home
from ctui.config import Config, SandboxConfig, parse_size
from ctui.errors import CtuiError, Refused
from ctui.git.command import run_git
from ctui.git.private import PrivateRepository, create_private, open_private
from ctui.git.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.sandbox.docker import Engine
from ctui.sandbox.image import require_image
from ctui.sandbox.spec import (
    HOME,
    LABEL_INSTANCE,
    LABEL_RUN,
    LABEL_TASK,
    LABEL_VOLUME,
    Limits,
    Mount,
    SandboxSpec,
)
from ctui.sandbox.volumes import cache_environment, cache_mounts, ensure_caches
from ctui.tasks.life import Parts
from ctui.tasks.logins import Account
from ctui.tasks.model import Run, Task
from ctui.tasks.store import now
from ctui.tasks.trust import is_trusted
from ctui.worktrees.owner import task_owner

_SETTINGS_LIMIT = 1 << 20


class Launch(NamedTuple):
    """A run that is ready to begin."""

    run: Run
    spec: SandboxSpec
    first_line: bytes
    private: PrivateRepository
    repository: Repository


def home_volume(paths: Paths, task_id: str) -> str:
    """The name of the volume that keeps a task's home folder from run to run."""
    return f"ctui-{paths.instance[:8]}-{task_id}-home"


def container_name(paths: Paths, task_id: str, number: int) -> str:
    """The name of a run's container: several instances can share an engine."""
    return f"ctui-{paths.instance[:8]}-{task_id}-{number}"


async def prepare(
    paths: Paths,
    config: Config,
    parts: Parts,
    task: Task,
    account: Account | None,
    *,
    adopt: Run | None = None,
) -> Launch:
    """Make a task's private repository and home, and describe its next container.

    Without an account (only right for a run that is adopted) there is no first line.

    Raises:
        CtuiError: the repository or worktree is not what it was, or image or engine are missing.
    """
    repository = await asyncio.to_thread(open_repository, Path(task.repository))
    worktree = Path(task.worktree)
    if not worktree.is_dir():
        raise Refused(
            f"the worktree {worktree} is gone",
            hint=f"put it back, or `ctui task remove {task.id}` takes the task off the list",
        )
    owner = task_owner(worktree)
    private = await _private(paths, repository, task, owner)
    run = adopt or _next_run(paths, parts, task)
    base_url = account.base_url if account else ""
    home = await _home(repository, config, parts, task, base_url)
    image = await require_image(parts.engine, config.image)
    labels = {LABEL_INSTANCE: paths.instance, LABEL_TASK: task.id, LABEL_RUN: str(run.number)}
    await _provide(paths, config.sandbox, parts.engine, image, labels)
    spec = SandboxSpec(
        name=container_name(paths, task.id, run.number),
        image=image,
        command=home.arguments,
        uid=owner[0],
        gid=owner[1],
        env={**home.env, **(cache_environment() if config.sandbox.shared_caches else {})},
        mounts=_mounts(paths, config.sandbox, private, worktree, task),
        network=config.sandbox.network,
        labels=labels,
        limits=_limits(config.sandbox),
    )
    line = b""
    if account is not None:
        servers = account.servers.content if account.servers else ""
        line = first_line(home, account.credential.environment(), servers)
    return Launch(run, spec, line, private, repository)


async def purge(paths: Paths, parts: Parts, task: Task) -> None:
    """Delete what only this task used: its journal, private repository and home volume."""
    for name in await parts.engine.volumes({LABEL_INSTANCE: paths.instance, LABEL_TASK: task.id}):
        await parts.engine.remove_volume(name)
    await asyncio.to_thread(shutil.rmtree, paths.task(task.id), ignore_errors=True)


async def _private(
    paths: Paths, repository: Repository, task: Task, owner: tuple[int, int]
) -> PrivateRepository:
    folder = paths.task(task.id)
    metadata = Path(task.metadata) if task.metadata else None
    if (folder / "git").is_dir():
        return open_private(repository, folder, metadata)
    return await create_private(repository, metadata, folder, task.branch, task.base, owner)


def _next_run(paths: Paths, parts: Parts, task: Task) -> Run:
    number = len(parts.store.runs.of(task.id)) + 1
    return Run(
        task=task.id,
        number=number,
        container=container_name(paths, task.id, number),
        created=now(),
        cost_before=task.cost,
    )


async def _provide(
    paths: Paths, config: SandboxConfig, engine: Engine, image: str, labels: dict[str, str]
) -> None:
    """Make the network and the volumes that a container is connected to."""
    await engine.ensure_network(config.network, {LABEL_INSTANCE: paths.instance})
    volume = home_volume(paths, labels[LABEL_TASK])
    await engine.ensure_volume(volume, {**labels, LABEL_VOLUME: "home"})
    if config.shared_caches:
        await ensure_caches(engine, paths.instance, image)


def _has_spoken(parts: Parts, task: Task) -> bool:
    """Whether an earlier run took a message: only then the CLI knows the session."""
    if not parts.store.runs.of(task.id):
        return False
    last = parts.store.messages.last(task.id)
    first_waits = {message.id for message in parts.store.messages.undelivered(task.id)}
    return not (last and last.id in first_waits and task.turns == 0)


async def _home(
    repository: Repository, config: Config, parts: Parts, task: Task, base_url: str
) -> TaskHome:
    options = task.options
    left = None if options.budget is None else max(0.0, options.budget - task.cost)
    return task_home(
        RunOptions(
            session=task.session,
            resume=_has_spoken(parts, task),
            branch=task.branch or "(detached)",
            model=options.model or config.claude.model,
            permission_mode=options.permission_mode,
            skip_permissions=options.skip_permissions,
            budget=left,
            trusted=await is_trusted(parts.store, repository, task),
            claude_md=await _blob(repository, task.base, "CLAUDE.md"),
            deny_rules=deny_rules_of(await _blob(repository, task.base, ".claude/settings.json")),
            base_url=base_url,
            home=HOME,
            mcp=bool(options.mcp_servers),
            approval_tool=options.approval_tool,
        )
    )


async def _blob(repository: Repository, commit: str | None, path: str) -> str:
    """A text file of a commit, "" if there is none: what the person committed, not the task."""
    if commit is None:
        return ""
    try:
        output = await run_git(
            ["cat-file", "blob", f"{commit}:{path}"], git_dir=repository.common_dir, check=False
        )
    except CtuiError:
        return ""
    if output.exit_code or len(output.stdout) > _SETTINGS_LIMIT:
        return ""
    return output.stdout.decode("utf-8", "replace")


def _limits(config: SandboxConfig) -> Limits:
    return Limits(
        memory=parse_size(config.memory),
        cpus=config.cpus,
        pids=config.pids,
        tmp=parse_size(config.tmp),
    )


def _mounts(
    paths: Paths, config: SandboxConfig, private: PrivateRepository, worktree: Path, task: Task
) -> tuple[Mount, ...]:
    mounts = [
        Mount(str(source), str(target), read_only)
        for source, target, read_only in private.mounts(worktree)
    ]
    home = Mount(home_volume(paths, task.id), HOME, kind="volume")
    caches = cache_mounts(paths.instance) if config.shared_caches else ()
    return (*mounts, home, *caches)
