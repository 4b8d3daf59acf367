"""Tasks as a front end starts and removes them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from ctui.client.tasks.attaching import staged
from ctui.client.tasks.bringing import Ask, Bringing
from ctui.client.tasks.caller import login, settled
from ctui.client.tasks.chosen_login import chosen_login, chosen_platform
from ctui.client.tasks.directory import make_directory
from ctui.client.tasks.environments import (
    EnvironmentWish,
    carry,
    ensure_environment,
    with_environment,
)
from ctui.client.tasks.new_task import NewTask, options_of
from ctui.client.tasks.plain_files import look_at_files
from ctui.client.tasks.start_notes import start_notes
from ctui.client.tasks.task_place import TaskPlace, place_of
from ctui.client.worktrees import worktrees
from ctui.client.worktrees.worktree_removal import WorktreeRemover
from ctui.config import Config, load_config
from ctui.config.sources import retired_in
from ctui.errors import ConsentRequired, CtuiError, Refused
from ctui.git.private.isolation import refuse_incomplete
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.tasks.calls import RemoveTask, StartTask, StopTask
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.naming import check_task_id
from ctui.tasks.secrets.registry import wanted_secrets
from ctui.tasks.session.messages import check_text
from ctui.tasks.trust import is_trusted
from ctui.worktrees.layout import settings_folder
from ctui.worktrees.trash.removal_checks import check_removal

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.environments.records import Environment
    from ctui.git.repository.repository import Repository
    from ctui.worktrees.create import Progress
    from ctui.worktrees.trash.entries import TrashEntry

_ASK_LATER = EnvironmentWish(later=True)


class Started(NamedTuple):
    """A task that was accepted, and what it will not find."""

    task: Task
    notes: list[str]


async def start_task(
    client: Client,
    repository: Repository,
    new: NewTask,
    *,
    progress: Progress | None = None,
    ask: Ask | None = None,
    wish: EnvironmentWish = _ASK_LATER,
) -> Started:
    """Make the worktree if need be, and start the task.

    Args:
        client: the way to the driver.
        repository: where it works.
        new: what is to be done.
        progress: see `create_worktree`.
        ask: asks the person about `.worktreeinclude`; None where nobody is there.
        wish: what the person says of its environment.

    Raises:
        ConsentRequired: its environment would be built, and nobody has consented.
        CtuiError: what is missing or wrong.
    """
    _check(repository, new)
    said: list[str] = []
    with staged(client.paths, new.attach, said.append) as files:
        return await _start(client, repository, new, _How(progress, ask, wish, files, said))


class _How(NamedTuple):
    """Everything that a start needs beside what is wanted."""

    progress: Progress | None
    ask: Ask | None
    wish: EnvironmentWish
    staged: str
    said: list[str]
    """Notes, as they come."""


async def _start(client: Client, repository: Repository, new: NewTask, how: _How) -> Started:
    paths, said, wish = client.paths, how.said, how.wish
    engine = resolve_endpoint().identity
    config = settled(load_config(paths, repository=settings_folder(repository)))
    options = options_of(paths, new, config, said.append)
    said += retired_in(paths.config_file)
    folder = repository.work_tree or repository.common_dir
    chosen = chosen_login(paths, config.claude, folder, options.login)
    platform = None if chosen else chosen_platform(options, os.environ)
    options = msgspec.structs.replace(options, login=chosen, platform=platform)
    known = login(paths, options)
    wish = wish._replace(later=wish.later and not options.unattended)
    if not (new.worktree or new.branch or new.in_checkout):  # before anything is made
        commit = repository.resolve(new.base)
        await _ensured(paths, repository, commit, config, wish)
    bringing = Bringing(paths, repository, config, new.include, said.append, how.ask)
    place = await place_of(bringing, new, how.progress)
    options = msgspec.structs.replace(options, files=tuple(bringing.brought))
    if place.made is None:
        git_dir = Path(place.metadata) if place.metadata else repository.common_dir
        said += await look_at_files(git_dir, Path(place.path), config.git)
    try:
        wanted = await _environment(paths, repository, place, config, wish)
        options = with_environment(options, wanted.environment)
        if wanted.environment is not None and wanted.environment.secrets:
            have = {*options.env, *options.secrets}
            secrets, missing = wanted_secrets(paths, wanted.environment.secrets, have)
            options = msgspec.structs.replace(options, secrets=(*options.secrets, *secrets))
            known = login(paths, options)
            said += missing
        if wanted.due:
            due: Literal["worktree", "new-worktree"] = "new-worktree" if place.made else "worktree"
            options = msgspec.structs.replace(options, environment_due=due)
        said += wanted.left_out
        if options.isolated and place.base:
            await refuse_incomplete(repository, place.base)
        make_directory(Path(place.path), new.directory)
        call = _call(repository, new, options, place)
        task = await client.call(
            msgspec.structs.replace(
                call, login=known, config=config, engine=engine, staged=how.staged
            )
        )
    except (CtuiError, asyncio.CancelledError):
        if place.made is not None:
            await asyncio.shield(worktrees.discard(paths, repository, place.made))
        raise
    with worktrees.open_store(paths) as store:
        trusted = new.trust or await is_trusted(store, repository, task)
    folder = Path(place.path)
    notes = await start_notes(repository, new, place.base, trusted=trusted, folder=folder)
    return Started(task, [*said, *notes])


def _check(repository: Repository, new: NewTask) -> None:
    """Raise CtuiError where no task can be started at all."""
    check_text(new.prompt)
    if new.task:
        check_task_id(new.task)
    if new.in_checkout and repository.bare:
        raise Refused(
            f"{repository.name} is bare: it has no checkout of its own",
            hint="name one of its worktrees: --worktree NAME",
        )
    if new.in_checkout and os.geteuid() == 0:
        raise Refused(
            "your own checkout cannot be used as root: a task never runs as root, and ctui does "
            "not give your checkout to another user",
            hint="use a worktree, or be the checkout's owner",
        )


def _call(
    repository: Repository, new: NewTask, options: TaskOptions, place: TaskPlace
) -> StartTask:
    return StartTask(
        task=new.task,
        repository=str(repository.common_dir),
        prompt=new.prompt,
        options=options,
        trust=new.trust,
        detached=new.detached,
        worktree=place.path,
        metadata=place.metadata,
        branch=place.branch,
        base=place.base,
        directory=new.directory,
    )


async def remove_task(
    client: Client, task: Task, *, keep_worktree: bool, force: bool, purge: bool
) -> TrashEntry | None:
    """Stop a task, move its worktree into the trash, and take it off the list.

    Other tasks on the worktree leave the list with it. A task whose worktree may not be removed is
    not stopped either.

    Returns:
        what restores the worktree, if it was removed.

    Raises:
        CtuiError: nothing was removed.
    """
    entry = None
    if task.removed is None and task.metadata is not None and not keep_worktree:
        entry = await _to_trash(client, task, task.metadata, force=force)
    if entry is None or purge:
        await client.call(RemoveTask(task.id, purge=purge, force=force))
    return entry


class _Wanted(NamedTuple):
    environment: Environment | None
    left_out: list[str]
    """Notes on what it could not bring."""
    due: bool = False
    """True where the person's consent is asked in the inbox."""


async def _environment(
    paths: Paths,
    repository: Repository,
    place: TaskPlace,
    config: Config,
    wish: EnvironmentWish,
) -> _Wanted:
    """Return the environment of the task's base, with what it carries in the new worktree."""
    if place.base is None:
        return _Wanted(None, [])
    found, due = await _ensured(paths, repository, place.base, config, wish)
    left_out: list[str] = []
    if found is not None and place.made is not None and place.metadata is not None:
        left_out = await carry(paths, found, Path(place.path), Path(place.metadata))
    return _Wanted(found, left_out, due)


async def _ensured(
    paths: Paths, repository: Repository, commit: str, config: Config, wish: EnvironmentWish
) -> tuple[Environment | None, bool]:
    """Return the environment of a commit, or True where it has to be asked for in the inbox."""
    try:
        return await ensure_environment(paths, repository, commit, config, wish), False
    except ConsentRequired:
        if not wish.later:
            raise
        return None, True


async def _to_trash(client: Client, task: Task, metadata: str, *, force: bool) -> TrashEntry | None:
    if not (Path(metadata).is_dir() and Path(task.worktree).is_dir()):
        return None  # there is nothing left to move, or nowhere to
    repository = await asyncio.to_thread(open_repository, Path(task.repository))
    async with WorktreeRemover(client.paths, repository, client) as remover:
        check_removal(await remover.look(Path(metadata)), force=force)
        await client.call(StopTask(task.id))
        # What it committed last has come home meanwhile.
        return await remover.remove(await remover.look(Path(metadata)), force=force)
