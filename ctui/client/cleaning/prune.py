"""Everything that ctui has left behind, cleaned up at once: never a worktree, never a journal."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ctui.client.cleaning.environment_removal import forget, unused
from ctui.client.cleaning.volumes import clean_volumes, open_engine
from ctui.client.worktrees.worktrees import open_store
from ctui.config import Config, load_config
from ctui.environments.check.running import forget_check, left_checks
from ctui.environments.records import Records
from ctui.errors import CtuiError
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT, LABEL_SHELL
from ctui.sandbox.docker.old_images import built_images, remove_image
from ctui.sandbox.docker.volumes import find_volumes
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_RUN, LABEL_SERVICE, LABEL_TASK
from ctui.tasks.lost import lost_tasks
from ctui.text import one_line
from ctui.worktrees.proof.scratch import left_behind, sweep
from ctui.worktrees.proof.verdicts import VerdictCache
from ctui.worktrees.trash.entries import records
from ctui.worktrees.trash.purge import entry_size, purge

if TYPE_CHECKING:
    from ctui.sandbox.docker.engine import Engine, FoundContainer

_DAY_SECONDS = 86_400

_ENVIRONMENT_DAYS = 30.0

What = Literal["sandbox", "volume", "image", "environment", "network", "trash", "cache", "engine"]


class Removed(msgspec.Struct, frozen=True):
    """Something that is gone now, or would be."""

    what: What
    name: str
    size: int | None = None
    """Bytes; None where nobody knows."""


class Kept(msgspec.Struct, frozen=True):
    """Something that could have gone, and why it did not."""

    what: What
    name: str
    reason: str
    hint: str = ""


class Cleaning(msgspec.Struct, frozen=True):
    """Things that were removed, and those that were kept."""

    dry_run: bool
    removed: list[Removed] = msgspec.field(default_factory=list)
    kept: list[Kept] = msgspec.field(default_factory=list)


async def prune_everything(
    paths: Paths,
    repository: Repository | None = None,
    *,
    force: bool = False,
    dry_run: bool = False,
) -> Cleaning:
    """Remove what nobody needs any more.

    That is: stopped sandboxes whose journal is complete, the homes of tasks that cannot come back,
    environments that no task needs and that failed or were not used for 30 days, images that this
    ctui built and uses no more, entries of the trash that are older than
    `worktrees.trash_days`, scratch repositories and kept verdicts.

    Args:
        paths: whose things.
        repository: its trash too, if no task or worktree of ctui has led to it.
        force: also stopped sandboxes that no task knows, the homes of removed tasks whose
            worktree is still in the trash, shared caches that are not in use, and the network of
            tasks when there is no sandbox.
        dry_run: nothing is removed.

    Returns:
        what was removed, and why the rest was not. Where no engine answers, that is one of them.

    Raises:
        CtuiError: the config or the store cannot be read; nothing was removed.
    """
    config = load_config(paths)
    cleaning = Cleaning(dry_run)
    repositories = await asyncio.to_thread(_repositories, paths, repository, cleaning)
    if config.worktrees.trash_days:
        for known in repositories:
            await _trash(known, config.worktrees.trash_days * _DAY_SECONDS, cleaning)
    # After the trash: the tasks of what has left it cannot come back.
    try:
        async with open_engine() as engine:
            await _sandboxes(paths, engine, cleaning, force=force)
            await _volumes(paths, engine, config, cleaning, force=force)
            await _environments(paths, engine, cleaning)
            await _images(paths, engine, config, cleaning)
            if force:
                await _networks(paths, engine, cleaning)
    except CtuiError as error:
        cleaning.kept.append(Kept("engine", "Docker", error.message, error.hint))
    await asyncio.to_thread(_caches, paths, cleaning)
    return cleaning


async def _sandboxes(paths: Paths, engine: Engine, cleaning: Cleaning, *, force: bool) -> None:
    found = await engine.find({LABEL_INSTANCE: paths.instance})
    boxed = {one.labels.get(LABEL_TASK) for one in found if one.running and not _is_service(one)}
    for container in found:
        if not container.labels.get(LABEL_TASK):
            continue  # of a demo, which cleans up by itself
        state = await asyncio.to_thread(_state_of_run, paths, container)
        if state == "lost":
            reason = "the store has lost its task"
            cleaning.kept.append(Kept("sandbox", container.name, reason, "ctui doctor --repair"))
            continue
        if state == "open" or (container.running and state == "over"):
            continue
        if _is_service(container):
            # It goes with its sandbox, and what it said is nobody's record.
            alone = container.labels[LABEL_TASK] not in boxed
            if alone and (force or not container.running):
                await _remove(engine, container, cleaning)
            continue
        if container.running:
            reason = "it runs, but no task knows it"
            cleaning.kept.append(Kept("sandbox", container.name, reason, "ctui doctor --repair"))
        elif state == "unknown" and not force:
            reason = "no task knows it, and its log is nowhere else"
            cleaning.kept.append(Kept("sandbox", container.name, reason, "--force"))
        else:
            await _remove(engine, container, cleaning)


async def _remove(engine: Engine, container: FoundContainer, cleaning: Cleaning) -> None:
    if not cleaning.dry_run:
        await engine.remove(container.id)
    cleaning.removed.append(Removed("sandbox", container.name))


def _is_service(container: FoundContainer) -> bool:
    return bool(container.labels.get(LABEL_SERVICE))


def _state_of_run(
    paths: Paths, container: FoundContainer
) -> Literal["open", "over", "unknown", "lost"]:
    """Return the state of its run: `over` only if everything of its log is in the journal."""
    task = container.labels[LABEL_TASK]
    with open_store(paths) as store:
        runs = store.runs.of(task)
        if task in lost_tasks(paths, store.tasks.ids()) or store.damaged():
            return "lost"
    for run in runs:
        if str(run.number) == container.labels.get(LABEL_RUN):
            return "open" if run.ended is None else "over"
    return "unknown"


async def _volumes(
    paths: Paths, engine: Engine, config: Config, cleaning: Cleaning, *, force: bool
) -> None:
    with open_store(paths) as store:
        # What cannot be read is listed as well: nothing of it goes.
        listed = store.tasks.ids() - {task.id for task in store.tasks.list(removed=True)}
    unused = [one for one in await find_volumes(engine, paths.instance) if not one.in_use]
    shared = config.sandbox.shared_folder
    names = [
        one.name
        for one in unused
        if (one.task not in listed if one.task else force or one.kind != "shared" or not shared)
    ]
    cleaned = await clean_volumes(paths, names, force=force, dry_run=cleaning.dry_run)
    cleaning.removed.extend(Removed("volume", one.name, one.size) for one in cleaned.removed)
    cleaning.kept.extend(Kept("volume", one.name, one.reason, one.hint) for one in cleaned.refused)


async def _images(paths: Paths, engine: Engine, config: Config, cleaning: Cleaning) -> None:
    for image in await built_images(engine, config.image, paths.instance):
        if not image.old:
            continue
        try:
            if not cleaning.dry_run:
                await remove_image(engine, image)
        except CtuiError as error:
            cleaning.kept.append(Kept("image", image.name, error.message, error.hint))
        else:
            cleaning.removed.append(Removed("image", image.name, image.size))


async def _environments(paths: Paths, engine: Engine, cleaning: Cleaning) -> None:
    building = Records(paths).is_building
    found = await engine.find({LABEL_INSTANCE: paths.instance, LABEL_ENVIRONMENT: ""})
    shells = [one for one in found if one.running and LABEL_SHELL in one.labels]
    networks = tuple(f"{one.labels[LABEL_ENVIRONMENT]}-" for one in shells)
    for container in found:
        # A person is in it, or it is the network of such a one; one that was left ends by itself.
        if container in shells or container.labels[LABEL_ENVIRONMENT].startswith(networks):
            continue
        # A task's sandbox has the labels of its image, and is looked at as a task's.
        if not container.labels.get(LABEL_TASK) and not building(
            container.labels[LABEL_ENVIRONMENT]
        ):
            await _remove(engine, container, cleaning)
    for one in unused(paths, _ENVIRONMENT_DAYS, time.time_ns()):
        try:
            if not cleaning.dry_run:
                await forget(paths, engine, one)
        except CtuiError as error:
            cleaning.kept.append(Kept("environment", one.id, error.message, error.hint))
        else:
            cleaning.removed.append(Removed("environment", one.id))


async def _networks(paths: Paths, engine: Engine, cleaning: Cleaning) -> None:
    """Remove the networks of tasks if there is no sandbox: the next task makes them again."""
    labels = {LABEL_INSTANCE: paths.instance}
    if await engine.find(labels):
        return
    for name in await engine.networks(labels):
        try:
            if not cleaning.dry_run:
                await engine.remove_network(name)
        except CtuiError as error:
            cleaning.kept.append(Kept("network", name, error.message, error.hint))
        else:
            cleaning.removed.append(Removed("network", name))


def _repositories(paths: Paths, given: Repository | None, cleaning: Cleaning) -> list[Repository]:
    with open_store(paths) as store:
        folders = {Path(folder) for folder in store.worktrees.repositories()}
    found = {} if given is None else {given.common_dir: given}
    for folder in sorted(folders - found.keys()):
        try:
            found[folder] = open_repository(folder)
        except CtuiError as error:
            if folder.exists():
                name = one_line(str(folder))
                cleaning.kept.append(Kept("trash", name, error.message, error.hint))
    return list(found.values())


async def _trash(repository: Repository, age: float, cleaning: Cleaning) -> None:
    old = await asyncio.to_thread(_older, repository, age)
    if cleaning.dry_run or not old:
        cleaning.removed.extend(old.values())
        return
    try:
        purged = await purge(repository, older_than=age)
    except CtuiError as error:
        name = one_line(str(repository.common_dir))
        cleaning.kept.append(Kept("trash", name, error.message, error.hint))
        return
    cleaning.removed.extend(old[entry] for entry in purged.ids if entry in old)
    name = one_line(str(repository.common_dir))
    cleaning.kept.extend(Kept("trash", name, problem) for problem in purged.problems)


def _older(repository: Repository, age: float) -> dict[str, Removed]:
    """Return the entries of its trash that are older than `age` seconds, by id."""
    before = time.time_ns() - int(age * 1e9)
    found: dict[str, Removed] = {}
    for record in records(repository):
        entry = record.entry
        if record.stage == "removed" and entry.removed < before:
            size = entry_size(repository, entry.id)
            name = f"{one_line(entry.name)} ({entry.id})"
            found[entry.id] = Removed("trash", name, size.bytes if size.complete else None)
    return found


def _caches(paths: Paths, cleaning: Cleaning) -> None:
    before = left_behind(paths.cache)
    with left_checks(paths) as names:
        cleaning.removed.extend(Removed("cache", name) for name in names)
        if not cleaning.dry_run:
            for name in names:
                forget_check(paths, name)
    verdicts = VerdictCache(paths.cache)
    size = verdicts.size()
    if not cleaning.dry_run:
        sweep(paths.cache)
        verdicts.clear()
    after = [] if cleaning.dry_run else left_behind(paths.cache)
    cleaning.removed.extend(Removed("cache", path.name) for path in before if path not in after)
    if size:
        cleaning.removed.append(Removed("cache", "verdicts", size))
