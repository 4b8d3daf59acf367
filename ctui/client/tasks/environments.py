"""Environments as a front end uses them: found, agreed to, built, and taken by a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.client.lending import lender
from ctui.environments.build.carrying import carry_into
from ctui.environments.build.left_out import note_carried
from ctui.environments.build.provision import Provision, provision
from ctui.environments.consent import consent_text
from ctui.environments.lookup import plan_of
from ctui.environments.plan import Plan
from ctui.environments.records import Environment, Records
from ctui.errors import ConsentRequired
from ctui.paths import Paths
from ctui.tasks.runs.launch import network_name
from ctui.worktrees.owner import TASK_UID

if TYPE_CHECKING:
    from ctui.config import Config
    from ctui.git.repository.repository import Repository
    from ctui.tasks.model import Task, TaskOptions


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
    later: bool = False
    """True where the task itself can ask, in the inbox."""


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
    given = Provision(
        paths,
        config,
        network_name(paths.instance, config.sandbox),
        TASK_UID,
        wish.progress,
        lend=lender(paths) if config.network.gateway else None,
        verify=wish.verify,
    )
    return await provision(given, plan)


async def carry(paths: Paths, environment: Environment, worktree: Path, git_dir: Path) -> list[str]:
    """Put what an environment carries into a new worktree; return what was left out, and why."""
    kept = Records(paths).carried(environment.id)
    notes = await carry_into(kept, environment.carry, worktree, git_dir)
    await asyncio.to_thread(note_carried, git_dir, environment.id, environment.carry)
    return notes


def old_environments(paths: Paths, tasks: Iterable[Task]) -> dict[str, str]:
    """Return, by the task's id, why it cannot run in its environment any more, and what to do."""
    from ctui.config import load_config
    from ctui.environments.freshness import old_reason
    from ctui.sandbox.docker.image import image_tag

    records, found = Records(paths), dict[str, str]()
    concerned = [task for task in tasks if task.options.environment and not task.removed]
    made_with = image_tag(load_config(paths).image) if concerned else ""
    for task in concerned:
        record = records.get(task.options.environment)
        old = old_reason(record, made_with) if record else "gone: ctui env build"
        if old:
            found[task.id] = f"environment {old} --base {task.base[:12]}" if task.base else old
    return found


def with_environment(options: TaskOptions, environment: Environment | None) -> TaskOptions:
    """Return a task's options with the environment that it runs in."""
    if environment is None:
        return options
    return msgspec.structs.replace(
        options,
        environment=environment.id,
        volumes=environment.mount_points,
        services=environment.services,
        start_commands=environment.start_commands,
        named_ports=environment.ports,
    )


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
        if not wish.ask(consent_text(plan, changed=changed)):
            raise ConsentRequired(
                "without your consent no task starts in it",
                hint="--env-image IMAGE uses another image",
            )
    records.give_consent(repository, plan.consent, definition.file)
