"""The environment of a commit as this home knows it, and the shapes that commands print of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from ctui.environments.definition.choice import SETTINGS_FILE
from ctui.environments.definition.definition import KeyReport, Source
from ctui.environments.plan import Plan, make_plan
from ctui.environments.records import Records, State
from ctui.git.repository.repository import Repository
from ctui.paths import Paths
from ctui.sandbox.services import Service


class ShownEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """The environment of a repository's tasks, and what is done with each key of its definition."""

    id: str
    """Empty for ctui's default image."""
    source: Source
    file: str
    state: State
    """`stale`: another one of this repository is built, but not this one."""
    keys: tuple[KeyReport, ...]
    consent: Literal["needed", "given", "not needed"] = "not needed"
    inputs: tuple[str, ...] = ()
    """Files whose content decides about another set-up."""
    services: tuple[Service, ...] = ()
    """Started beside each task."""


class ListedEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """An environment that was built, or should have been."""

    id: str
    repository: str
    """The main repository's `.git` folder."""
    source: str
    file: str
    state: Literal["stale", "building", "ready", "failed"]
    image: str
    created: int
    """Nanoseconds since the epoch."""
    used: int
    """Nanoseconds since the epoch; 0 if no task has started in it."""
    seconds: float
    problem: str
    note: str = ""
    """Reason for which it should be built again, and how; "" where there is none."""


def plan_of(
    paths: Paths, repository: Repository, commit: str, *, image: str = "", devcontainer: str = ""
) -> Plan | None:
    """Return the environment of the tasks that start from a commit; None is the default image.

    Call it in a thread. For errors see `make_plan`.
    """
    chosen = devcontainer or Records(paths).chosen(str(repository.common_dir))
    return make_plan(
        repository,
        commit,
        image=image,
        devcontainer=chosen,
        settings=paths.config / SETTINGS_FILE,
    )


def shown(paths: Paths, plan: Plan | None) -> ShownEnvironment:
    """Return what is known of an environment."""
    if plan is None:
        return ShownEnvironment(id="", source="default", file="", state="none", keys=())
    records = Records(paths)
    repository = str(plan.repository.common_dir)
    definition = plan.found.definition
    consent: Literal["needed", "given", "not needed"] = "not needed"
    if definition.of_repository:
        consent = "given" if records.has_consent(repository, plan.consent) else "needed"
    return ShownEnvironment(
        id=plan.id,
        source=definition.source,
        file=definition.file,
        state=records.state(plan.id, repository),
        keys=plan.found.keys,
        consent=consent,
        inputs=plan.inputs,
        services=definition.services,
    )
