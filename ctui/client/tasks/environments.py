"""Environments as a front end uses them: found, agreed to, built, and taken by a task."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.environments.build.carrying import carry_into
from ctui.environments.consent import consent_text
from ctui.environments.lookup import plan_of
from ctui.environments.plan import Plan
from ctui.environments.records import Environment, Records
from ctui.errors import Conflict, ConsentRequired
from ctui.paths import Paths
from ctui.sandbox.docker.environment_image import inspect_image
from ctui.sandbox.docker.image import image_tag
from ctui.tasks.runs.launch import network_name
from ctui.worktrees.owner import TASK_UID

if TYPE_CHECKING:
    from ctui.config import Config
    from ctui.git.repository.repository import Repository
    from ctui.tasks.model import TaskOptions


class EnvironmentWish(NamedTuple):
    """A person's words on the environment of a task."""

    image: str = ""
    """Image to use instead of what the repository says."""
    devcontainer: str = ""
    """Name of the devcontainer that counts from now on, of several."""
    yes: bool = False
    """True to consent to whatever it is."""
    ask: Callable[[str], bool] | None = None
    """Shows a text and returns the person's decision; None where nobody can be asked."""
    progress: Callable[[str], None] = lambda _: None
    verify: bool = False
    """Look at the engine also where the record says that all is built."""


async def ensure_environment(
    paths: Paths, repository: Repository, commit: str, config: Config, wish: EnvironmentWish
) -> Environment | None:
    """Return the environment of a commit, built if need be; None is ctui's default image.

    Raises:
        ConsentRequired: nobody has consented to what would be built and run.
        CtuiError: it cannot be read or built. The default image is never taken instead.
    """
    plan = await asyncio.to_thread(
        plan_of,
        paths,
        repository,
        commit,
        image=wish.image,
        devcontainer=wish.devcontainer,
    )
    if plan is None:
        return None
    records = Records(paths)
    _agree(records, plan, wish)
    if wish.devcontainer:
        records.choose(str(repository.common_dir), wish.devcontainer)
    while True:
        known = records.get(plan.id)
        if known and known.state == "ready" and await _is_current(known, config, wish):
            records.touch(known)
            return known
        try:
            return await _build(paths, plan, config, wish)
        except Conflict:
            wish.progress(f"waiting for another build of {plan.id}")
            lock = records.lock(plan.id)
            await lock.wait()
            with lock:
                continue


async def carry(paths: Paths, environment: Environment, worktree: Path, git_dir: Path) -> list[str]:
    """Put what an environment carries into a new worktree; return what was left out, and why."""
    kept = Records(paths).carried(environment.id)
    return await carry_into(kept, environment.carry, worktree, git_dir)


def with_environment(options: TaskOptions, environment: Environment | None) -> TaskOptions:
    """Return a task's options with the environment that it runs in."""
    if environment is None:
        return options
    volumes = {one.target: one.name for one in environment.volumes}
    return msgspec.structs.replace(options, environment=environment.id, volumes=volumes)


def _agree(records: Records, plan: Plan, wish: EnvironmentWish) -> None:
    """Make sure of the person's consent.

    Raises:
        ConsentRequired: there is none.
    """
    repository = str(plan.repository.common_dir)
    definition = plan.found.definition
    if not definition.of_repository or records.has_consent(repository, plan.consent):
        return
    if not wish.yes:
        changed = bool(records.consents(repository))
        if wish.ask is None:
            state = "changed, and " if changed else ""
            raise ConsentRequired(
                f"the environment of {plan.repository.name} ({definition.file}) {state}needs your "
                "consent before it is built and run",
                hint="`ctui env show` says what it is, `ctui env build --yes` consents",
            )
        again = "It has changed since you consented.\n" if changed else ""
        if not wish.ask(again + consent_text(plan)):
            raise ConsentRequired(
                "without your consent no task starts in it",
                hint="--env-image IMAGE uses another image",
            )
    records.give_consent(repository, plan.consent, definition.file)


async def _is_current(known: Environment, config: Config, wish: EnvironmentWish) -> bool:
    from ctui.client.cleaning.volumes import open_engine

    if known.made_with != await asyncio.to_thread(image_tag, config.image):
        return False
    if not wish.verify:
        return True
    async with open_engine() as engine:
        return await inspect_image(engine, known.image) is not None


async def _build(paths: Paths, plan: Plan, config: Config, wish: EnvironmentWish) -> Environment:
    from ctui.client.cleaning.volumes import open_engine
    from ctui.environments.build.building import build_environment
    from ctui.environments.build.stages import Builder

    root = os.geteuid() == 0
    async with open_engine() as engine:
        builder = Builder(
            engine=engine,
            paths=paths,
            config=config,
            network=network_name(paths.instance, config.sandbox),
            uid=TASK_UID if root else os.geteuid(),
            gid=TASK_UID if root else os.getegid(),
            progress=wish.progress,
        )
        return await build_environment(builder, plan)
