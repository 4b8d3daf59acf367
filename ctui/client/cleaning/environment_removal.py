"""Removal of environments that no task needs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ctui.client.cleaning.volumes import open_engine
from ctui.client.worktrees.worktrees import open_store
from ctui.environments.build.left_out import needed_environments
from ctui.environments.records import Environment, Records
from ctui.errors import Conflict, CtuiError
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT, image_names
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.worktrees.trash.entries import trash_folder


async def remove_environments(paths: Paths, names: Iterable[str]) -> list[str]:
    """Remove environments by the beginning of their ids, and return their ids.

    Raises:
        Conflict: a task runs in one, or another process builds it; nothing was removed.
        NotFound: there is none of that name.
    """
    records = Records(paths)
    found = [records.named(name) for name in names]
    users = tasks_by_environment(paths)
    for one in found:
        if one.id in users:
            raise Conflict(
                f"the task {users[one.id]} runs in the environment {one.id}",
                hint=f"ctui task remove {users[one.id]}",
            )
        if one.id in needed_by_trash(one.repository):
            raise Conflict(
                f"a worktree in the trash has folders of the environment {one.id}",
                hint="restore it, or delete it: `ctui worktree trash --purge --all`",
            )
        if records.is_building(one.id):
            raise Conflict(f"the environment {one.id} is being built", hint="wait, or end that")
    async with open_engine() as engine:
        for one in found:
            await forget(paths, engine, one)
    return [one.id for one in found]


def tasks_by_environment(paths: Paths) -> dict[str, str]:
    """Return the id of a task for each environment that a task on the list runs in."""
    with open_store(paths) as store:
        # Also those off the list: their worktree may come back, and they with it.
        tasks = [*store.tasks.list(), *store.tasks.list(removed=True)]
    return {task.options.environment: task.id for task in tasks if task.options.environment}


def needed_by_trash(repository: str) -> set[str]:
    """Return the ids of environments that a restore in a repository needs; none if it is gone."""
    try:
        return needed_environments(trash_folder(open_repository(Path(repository))))
    except CtuiError:
        return set()


async def forget(paths: Paths, engine: Engine, environment: Environment) -> None:
    """Remove an environment's images, record, log and kept folders."""
    labels = [f"{LABEL_ENVIRONMENT}={environment.id}", f"{LABEL_INSTANCE}={paths.instance}"]
    images = await engine.ask(lambda client: client.images(filters={"label": labels}))
    for image in images:
        for name in image_names(image):
            await engine.remove_image(name)
    Records(paths).remove(environment.id)


def unused(paths: Paths, days: float, now: int) -> list[Environment]:
    """Return the environments that no task needs and that nobody has used for so many days.

    Raises:
        CtuiError: the store cannot be read, so that nobody knows.
    """
    users = tasks_by_environment(paths)
    records = Records(paths)
    before = now - int(days * 86_400e9)
    return [
        one
        for one in records.all()
        if one.id not in users
        and not records.is_building(one.id)
        and (one.state == "failed" or max(one.used, one.created) < before)
        and one.id not in needed_by_trash(one.repository)
    ]
