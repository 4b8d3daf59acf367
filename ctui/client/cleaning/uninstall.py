"""Everything of ctui on this machine, taken away; the person's work stays where it is."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ctui.claude.login.credentials import forget_credential, stored_credential
from ctui.claude.login.named import named_logins, remove_named
from ctui.client.access.ssh_access import is_included, remove_config, user_config
from ctui.client.cleaning.volumes import open_engine
from ctui.client.driver_process import without_driver
from ctui.client.worktrees.worktrees import open_store
from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.gateway.finding import end_gateway
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.environment_image import image_names
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.tasks.secrets.values import forget, stored_secrets
from ctui.text import one_line
from ctui.worktrees.trash.entries import records

if TYPE_CHECKING:
    from ctui.sandbox.docker.engine import Engine

What = Literal["sandbox", "volume", "image", "network", "login", "secret", "ssh", "folder"]


class Part(msgspec.Struct, frozen=True):
    """Something of ctui's that goes."""

    what: What
    name: str


class Stays(msgspec.Struct, frozen=True):
    """Something that holds a person's work, and is not ctui's to take away."""

    name: str
    reason: str
    hint: str = ""


class Uninstall(msgspec.Struct, frozen=True):
    """Everything that goes, and what stays."""

    dry_run: bool
    parts: list[Part] = msgspec.field(default_factory=list)
    stays: list[Stays] = msgspec.field(default_factory=list)


async def plan_uninstall(paths: Paths) -> Uninstall:
    """Return everything that `uninstall` would take away, and what would stay.

    Raises:
        Conflict: a task is not over, or what it did is not home.
        CtuiError: the store cannot be read.
    """
    plan = Uninstall(dry_run=True)
    await asyncio.to_thread(_refuse_open_work, paths)
    await asyncio.to_thread(_work_that_stays, paths, plan)
    try:
        async with open_engine() as engine:
            plan.parts.extend(await _of_engine(engine, paths.instance))
    except CtuiError as error:
        hint = "start it, and uninstall again: containers, volumes and images stay until then"
        plan.stays.append(Stays("Docker", error.message, hint))
    if stored_credential(paths) is not None:
        plan.parts.append(Part("login", "your stored login"))
    plan.parts.extend(Part("login", name) for name in _named(paths))
    plan.parts.extend(Part("secret", one.name) for one in stored_secrets(paths))
    if is_included(paths, config := user_config()):
        plan.parts.append(Part("ssh", f"the line of ctui in {config}"))
    chosen = _chosen(os.environ)
    for folder in _folders(paths):
        if folder in chosen:
            plan.stays.append(Stays(str(folder), "you chose it, and more may be in it"))
        else:
            plan.parts.append(Part("folder", str(folder)))
    return plan


async def uninstall(paths: Paths, plan: Uninstall) -> Uninstall:
    """Take away what the plan says, and return what is gone and what is not.

    Nothing but the plan's parts goes: what came after it was not shown to anybody.

    Raises:
        Conflict: a task was started since.
        Unavailable: the driver does not end.
    """
    done = Uninstall(dry_run=False, stays=list(plan.stays))
    async with without_driver(paths):
        await asyncio.to_thread(_refuse_open_work, paths)
        await end_gateway(paths)
        engine_parts = [part for part in plan.parts if part.what in _ENDINGS]
        if engine_parts:
            async with open_engine() as engine:
                for part in engine_parts:
                    await _take(engine, part, done)
        for part in plan.parts:
            if part.what == "login":
                _forget_login(paths, part.name)
                done.parts.append(part)
            elif part.what == "secret":
                for secret in stored_secrets(paths):
                    if secret.name == part.name:
                        forget(paths, secret)
                done.parts.append(part)
            elif part.what == "ssh":
                remove_config(paths, user_config())
                done.parts.append(part)
            elif part.what == "folder":
                await asyncio.to_thread(_delete, Path(part.name), done)
    return done


def _forget_login(paths: Paths, name: str) -> None:
    if name in _named(paths):
        remove_named(paths, name)
    else:
        forget_credential(paths)


def _named(paths: Paths) -> list[str]:
    try:
        return sorted(named_logins(paths))
    except Unavailable:  # the folder goes with all that is in it
        return []


def _refuse_open_work(paths: Paths) -> None:
    if not paths.database.exists():
        return
    with open_store(paths) as store:
        tasks = store.tasks.list()
    if live := sorted(task.id for task in tasks if task.state.live):
        names = one_line(", ".join(live), 200)
        raise Conflict(f"not over yet: {names}", hint="end each with `ctui task stop NAME`")
    for task in tasks:
        if task.work is not None and task.work.problem:
            raise Conflict(
                f"the commits of {task.id} are not home: {task.work.problem}",
                hint=f"mend that, or let them go with `ctui task remove {task.id} --force`",
            )


def _work_that_stays(paths: Paths, plan: Uninstall) -> None:
    """Name the worktrees and the trash: they are the person's, and git has them on record."""
    worktrees = paths.worktrees
    if worktrees.is_dir() and any(worktrees.iterdir()):
        reason = "worktrees are in it; git lists them without ctui too"
        plan.stays.append(Stays(str(worktrees), reason, "`ctui worktree clean` first"))
    if not paths.database.exists():
        return
    with open_store(paths) as store:
        folders = sorted(store.worktrees.repositories())
    for folder in folders:
        try:
            count = len(records(open_repository(Path(folder))))
        except CtuiError:
            continue  # it is gone, and its trash with it
        if count:
            reason = f"its trash has {count} removed worktrees, which only ctui restores"
            plan.stays.append(Stays(one_line(folder), reason, "restore what you need first"))


async def _of_engine(engine: Engine, instance: str) -> list[Part]:
    labels = {LABEL_INSTANCE: instance}
    images = f"{LABEL_INSTANCE}={instance}"
    found = await engine.ask(lambda client: client.images(filters={"label": images}))
    return [
        *(Part("sandbox", one.name) for one in await engine.find(labels)),
        *(Part("volume", name) for name in await engine.volumes(labels)),
        *(Part("image", name) for item in found for name in image_names(item)),
        *(Part("network", name) for name in await engine.networks(labels)),
    ]


async def _take(engine: Engine, part: Part, done: Uninstall) -> None:
    try:
        await _ENDINGS[part.what](engine, part.name)
    except CtuiError as error:
        done.stays.append(Stays(f"{part.what} {part.name}", error.message, error.hint))
    else:
        done.parts.append(part)


_ENDINGS: Mapping[str, Callable[[Engine, str], Awaitable[None]]] = {
    "sandbox": lambda engine, name: engine.remove(name),
    "volume": lambda engine, name: engine.remove_volume(name),
    "image": lambda engine, name: engine.remove_image(name),
    "network": lambda engine, name: engine.remove_network(name),
}


def _folders(paths: Paths) -> list[Path]:
    """Return the folders that are ctui's alone; that of the worktrees only where none is left."""
    worktrees = paths.worktrees
    ours = [paths.config, paths.state, paths.cache, paths.runtime, paths.data / "environments"]
    if not (worktrees.is_dir() and any(worktrees.iterdir())):
        ours.append(paths.data)
    return [folder for folder in dict.fromkeys(ours) if folder.is_dir() and not folder.is_symlink()]


def _chosen(environ: Mapping[str, str]) -> set[Path]:
    """Return the folders that the person named: who knows what else is in them?"""
    own = {name: value for name, value in environ.items() if not name.endswith("_DIR")}
    return set(Paths.from_environment(environ)) - set(Paths.from_environment(own))


def _delete(folder: Path, done: Uninstall) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass  # it lay in one that is gone already
    except OSError as error:
        done.stays.append(Stays(str(folder), error.strerror or "cannot be deleted"))
        return
    done.parts.append(Part("folder", str(folder)))
