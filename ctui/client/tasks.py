"""Tasks as a front end starts and removes them."""

from __future__ import annotations

import asyncio
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.claude.login.credentials import Credential
from ctui.claude.mcp.image_servers import image_servers
from ctui.claude.mcp.mcp_config import check_approval_tool, read_mcp_servers
from ctui.claude.mcp.mcp_secrets import looks_secret
from ctui.claude.mcp.mcp_servers import variables_of
from ctui.client import worktrees
from ctui.client.base_url import check_base_url
from ctui.client.bringing import Ask, Bringing, Include
from ctui.client.directory import make_directory
from ctui.client.environments import EnvironmentWish, carry, ensure_environment, with_environment
from ctui.client.plain_files import look_at_files
from ctui.client.start_notes import start_notes
from ctui.client.worktree_removal import WorktreeRemover
from ctui.config import Config, load_config
from ctui.config.variables import person_variables
from ctui.errors import CtuiError, InvalidInput, NotFound, Refused
from ctui.git.caller import shell_of
from ctui.git.isolation import refuse_incomplete
from ctui.git.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.certificates import ca_file
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.tasks.calls import Login, RemoveTask, ResumeTask, SendMessage, StartTask, StopTask
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.naming import check_task_id
from ctui.tasks.secrets.registry import check_given, environment_names
from ctui.tasks.session.messages import check_text
from ctui.tasks.trust import is_trusted
from ctui.text import one_line
from ctui.worktrees.existing_branch import began_at
from ctui.worktrees.identity import head_of
from ctui.worktrees.layout import settings_folder
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.trash.removal_checks import check_removal

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.environments.records import Environment
    from ctui.git.repository import Repository
    from ctui.worktrees.as_stored import Say
    from ctui.worktrees.create import Progress
    from ctui.worktrees.trash.entries import TrashEntry

_NO_WISH = EnvironmentWish()


class NewTask(msgspec.Struct, frozen=True, kw_only=True):
    """Work that a person wants done, and its place."""

    prompt: str
    task: str = ""
    """The wanted id; "" is after the worktree."""
    name: str = ""
    """The new worktree's name; "" is after the prompt."""
    base: str = "HEAD"
    worktree: str = ""
    """Name, branch or path of the worktree to work in; "" for a new one."""
    branch: str = ""
    """Branch that is there, or a request (`pr:7`), to work on; in its worktree if it has one."""
    in_checkout: bool = False
    """True to work in the person's own checkout."""
    directory: str = ""
    """The folder of the worktree to start in; "" is its root."""
    options: TaskOptions = TaskOptions()
    mcp_config: tuple[str, ...] = ()
    """Files of MCP servers, beside those of the person's config and stronger than they."""
    mcp: tuple[str, ...] = ()
    """MCP servers of the image that are switched on, beside those of the person's config."""
    trust: bool = False
    detached: bool = True
    env: tuple[str, ...] = ()
    """Variables `K=V`, or `K` for the value that it has here."""
    include: Include = Include()
    """Files that are not committed and come into a new worktree."""
    env_files: tuple[tuple[str, str], ...] = ()
    """Names and texts of files of variables, in docker's format; weaker than `env`."""


class Started(NamedTuple):
    """A task that was accepted, and what it will not find."""

    task: Task
    notes: list[str]


def login(paths: Paths, options: TaskOptions | None = None) -> Login:
    """Return the login that counts here, for the driver, whose shell may have another one.

    With a task's options also the variables that its MCP servers and secrets refer to.

    Raises:
        InvalidInput: it would be sent into the sandbox itself.
    """
    check_base_url(paths)
    found = Credential.from_environment(os.environ)
    names = variables_of(options.mcp_servers) if options else set()
    names |= environment_names(paths, options.secrets) if options else set()
    return Login(
        environment=found.environment() if found else {},
        stored=found is None,
        base_url=load_config(paths).claude.base_url,
        variables={name: os.environ[name] for name in names if name in os.environ},
        caller=shell_of(os.environ),
    )


def caller_settings(paths: Paths, repository: str) -> Config:
    """Return the caller's settings for a run in this repository: they travel with the command.

    Args:
        paths: the caller's.
        repository: the main repository's git directory; one that is gone says nothing.
    """
    try:
        folder = settings_folder(open_repository(Path(repository)))
    except CtuiError:
        folder = None
    return _settled(load_config(paths, repository=folder))


def new_message(paths: Paths, task_id: str, text: str, message_id: str = "") -> SendMessage:
    """Return the call that tells a task something, with the caller's login and settings.

    Raises:
        CtuiError: there is no such task, or the settings are wrong.
    """
    task = _task(paths, task_id)
    return SendMessage(
        task_id,
        message_id or str(uuid.uuid4()),
        text,
        login(paths, task.options),
        caller_settings(paths, task.repository),
    )


def resumption(paths: Paths, task_id: str) -> ResumeTask:
    """Return the call that starts another run of a task; as `new_message`."""
    task = _task(paths, task_id)
    return ResumeTask(task_id, login(paths, task.options), caller_settings(paths, task.repository))


def with_servers(paths: Paths, new: NewTask) -> TaskOptions:
    """Return the task's options with its MCP servers, and with the tool that its asks go to.

    Raises:
        InvalidInput: what is wrong with a file, or with the tool.
    """
    config = load_config(paths)
    claude = config.claude
    files = [paths.config / Path(name).expanduser() for name in _listed(claude.mcp_config)]
    of_image = (*_listed(claude.mcp_servers), *new.mcp)
    servers = {
        **image_servers(of_image, missing_from=_without_servers(config)),
        **read_mcp_servers(files),
        **read_mcp_servers(Path(name).expanduser().absolute() for name in new.mcp_config),
    }
    options = new.options
    if options.approval_tool and options.skip_permissions:
        raise InvalidInput(
            "nothing is asked where permissions are skipped, so no tool can approve it",
            hint="leave out --approval-tool-permission or --skip-permissions",
        )
    tool = options.approval_tool or ("" if options.skip_permissions else claude.approval_tool)
    if tool:
        check_approval_tool(tool, servers)
    return msgspec.structs.replace(options, mcp_servers=servers, approval_tool=tool)


def _listed(value: str | tuple[str, ...]) -> list[str]:
    """Return the texts of a setting that may be one or several, without empty ones."""
    return [text for text in ((value,) if isinstance(value, str) else value) if text]


def _without_servers(config: Config) -> str:
    """Return the variant of the image that has no MCP servers; "" where nobody knows."""
    image = config.image
    own = not (image.name or image.base or image.dockerfile)
    return image.variant if own and image.variant != "browser" else ""


async def start_task(
    client: Client,
    repository: Repository,
    new: NewTask,
    *,
    progress: Progress | None = None,
    ask: Ask | None = None,
    wish: EnvironmentWish = _NO_WISH,
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
    engine = resolve_endpoint().identity
    options = with_servers(client.paths, new)
    config = _settled(load_config(client.paths, repository=settings_folder(repository)))
    options = msgspec.structs.replace(
        options,
        isolated=options.isolated or config.sandbox.isolated,
        filters=config.git.filter_names,
    )
    said: list[str] = []
    variables = _variables(new, config, said.append)
    secrets = check_given(client.paths, options.secrets, variables)
    options = msgspec.structs.replace(options, env=variables, secrets=secrets)
    known = login(client.paths, options)
    if not (new.worktree or new.branch or new.in_checkout):  # before anything is made
        commit = repository.resolve(new.base)
        await ensure_environment(client.paths, repository, commit, config, wish)
    bringing = Bringing(client.paths, repository, config, new.include, said.append, ask)
    place = await _place(bringing, new, progress)
    options = msgspec.structs.replace(options, files=tuple(bringing.brought))
    if place.made is None:
        git_dir = Path(place.metadata) if place.metadata else repository.common_dir
        said += await look_at_files(git_dir, Path(place.path), config.git)
    try:
        wanted = await _environment(client.paths, repository, place, config, wish)
        options = with_environment(options, wanted.environment)
        said += wanted.left_out
        call = StartTask(
            task=new.task,
            repository=str(repository.common_dir),
            prompt=new.prompt,
            options=options,
            trust=new.trust,
            detached=new.detached,
            login=known,
            config=config,
            worktree=place.path,
            metadata=place.metadata,
            branch=place.branch,
            base=place.base,
            directory=new.directory,
            engine=engine,
        )
        if options.isolated and place.base:
            await refuse_incomplete(repository, place.base)
        make_directory(Path(place.path), new.directory)
        task = await client.call(call)
    except (CtuiError, asyncio.CancelledError):
        if place.made is not None:
            await asyncio.shield(worktrees.discard(client.paths, repository, place.made))
        raise
    with worktrees.open_store(client.paths) as store:
        trusted = new.trust or await is_trusted(store, repository, task)
    folder = Path(place.path)
    notes = await start_notes(repository, new, place.base, trusted=trusted, folder=folder)
    return Started(task, [*said, *notes])


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


def _settled(config: Config) -> Config:
    """Return the config with the CA bundle of a variable here: the driver may have another one."""
    bundle = config.image.ca_file or ca_file(os.environ)
    image = msgspec.structs.replace(config.image, ca_file=bundle)
    return msgspec.structs.replace(config, image=image)


def _variables(new: NewTask, config: Config, say: Say) -> dict[str, str]:
    """Return the task's variables; what is worth a word about them is said."""
    settings = config.sandbox.variables
    found, missing = person_variables(new.env, new.env_files, settings, os.environ)
    if missing:
        are = "is" if len(missing) == 1 else "are"
        say(f"{', '.join(missing)} {are} not set here, and so not in the task")
    for name, value in found.items():
        if looks_secret(name, value):
            say(f"{name} looks like a secret: `ctui secret set {name}` and --secret {name} hide it")
    return found


def _task(paths: Paths, task_id: str) -> Task:
    with worktrees.open_store(paths) as store:
        return store.tasks.get(task_id)


class _Place(msgspec.Struct, frozen=True):
    path: str
    metadata: str | None
    branch: str | None
    base: str | None
    made: WorktreeRecord | None = None
    """The worktree, if it was made for this task."""


async def _place(bringing: Bringing, new: NewTask, progress: Progress | None) -> _Place:
    paths, repository, say = bringing.paths, bringing.repository, bringing.say
    if new.in_checkout:
        bringing.check(new_worktree=False)
        checkout = str(repository.work_tree)
        return _Place(checkout, None, repository.head_branch(), repository.resolve("HEAD"))
    bringing.check(new_worktree=not (new.worktree or new.branch))
    made = None
    wanted = await worktrees.wanted_branch(repository, new.branch) if new.branch else None
    if new.branch and wanted is None:
        raise NotFound(f"there is no branch {one_line(new.branch, 80)}", hint="git branch --all")
    if wanted is not None and worktrees.has_branch(paths, repository, wanted.name):
        record = worktrees.recorded(paths, repository, wanted.name)
    elif new.worktree:
        meant = await worktrees.meant_by(repository, new.worktree)
        record = worktrees.recorded(paths, repository, meant)
        worktrees.check_ready(repository, record)
    else:
        prefix = load_config(paths, repository=settings_folder(repository)).worktrees.prefix
        record = made = await worktrees.make_worktree(
            paths,
            repository,
            prefix=prefix,
            name=new.name or new.task,
            prompt=new.prompt,
            base=bringing.base(new.base),
            progress=progress,
            say=say,
            existing=wanted,
            bring=bringing.into,
        )
    # One that ctui did not make is trusted as it is now: nobody knows how it began.
    known = record.base or began_at(repository, record.branch)
    base = known or head_of(repository, Path(record.metadata))
    return _Place(record.path, record.metadata, record.branch, base, made)


class _Wanted(NamedTuple):
    environment: Environment | None
    left_out: list[str]
    """Notes on what it could not bring."""


async def _environment(
    paths: Paths,
    repository: Repository,
    place: _Place,
    config: Config,
    wish: EnvironmentWish,
) -> _Wanted:
    """Return the environment of the task's base, with what it carries in the new worktree."""
    if place.base is None:
        return _Wanted(None, [])
    found = await ensure_environment(paths, repository, place.base, config, wish)
    left_out: list[str] = []
    if found is not None and place.made is not None and place.metadata is not None:
        left_out = await carry(paths, found, Path(place.path), Path(place.metadata))
    return _Wanted(found, left_out)


async def _to_trash(client: Client, task: Task, metadata: str, *, force: bool) -> TrashEntry | None:
    if not (Path(metadata).is_dir() and Path(task.worktree).is_dir()):
        return None  # there is nothing left to move, or nowhere to
    repository = await asyncio.to_thread(open_repository, Path(task.repository))
    async with WorktreeRemover(client, repository) as remover:
        check_removal(await remover.look(Path(metadata)), force=force)
        await client.call(StopTask(task.id))
        # What it committed last has come home meanwhile.
        return await remover.remove(await remover.look(Path(metadata)), force=force)
