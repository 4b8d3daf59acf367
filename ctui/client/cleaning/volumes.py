"""The volumes of this ctui as a person sees them: listed, made, and removed when nobody needs them.

Only volumes that bear the label of this instance are ever looked at: another user's, another
`CTUI_HOME`'s and those of other programs are not there for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from ctui.client.client import Client
from ctui.client.worktrees.worktrees import open_store
from ctui.errors import CtuiError, NotFound, StoreDamaged
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.volumes import Volume, find_volumes, users
from ctui.sandbox.spec import LABEL_TASK
from ctui.tasks.calls import StopTask
from ctui.tasks.lost import folders_of_tasks
from ctui.tasks.model import Task
from ctui.text import one_line
from ctui.worktrees.trash.entries import records


class KeptVolume(msgspec.Struct, frozen=True):
    """A volume that was not removed."""

    name: str
    reason: str
    hint: str = ""


class CleanedVolumes(msgspec.Struct, frozen=True):
    """Outcome for the volumes; with `dry_run` what it would be."""

    removed: list[Volume]
    refused: list[KeptVolume]


async def list_volumes(paths: Paths) -> list[Volume]:
    """Return every volume of this ctui, ordered by name.

    Raises:
        Unavailable: no engine answers.
    """
    async with open_engine() as engine:
        return await find_volumes(engine, paths.instance)


async def clean_volumes(
    paths: Paths,
    names: Collection[str] | None = None,
    *,
    force: bool = False,
    dry_run: bool = False,
) -> CleanedVolumes:
    """Remove volumes that nobody needs any more.

    Args:
        paths: whose volumes.
        names: these; None means all.
        force: also those of tasks that could be resumed, and those in use: the tasks that use one
            are stopped first.
        dry_run: nothing is stopped or removed.

    Returns:
        what was removed, and why the others were not. A name that is no volume of this ctui is
        refused like any other.

    Raises:
        Unavailable: no engine answers.
    """
    async with open_engine() as engine:
        volumes = {one.name: one for one in await find_volumes(engine, paths.instance)}
        unknown = [name for name in names or () if name not in volumes]
        chosen = [one for name, one in volumes.items() if names is None or name in names]
        cleaned = CleanedVolumes([], [_unknown(name) for name in unknown])
        for volume in chosen:
            look = _lost if force else _needed
            kept = await asyncio.to_thread(look, paths, volume)
            if kept is None and not dry_run:
                kept = await _remove(paths, engine, volume)
            if kept is None:
                cleaned.removed.append(volume)
            else:
                cleaned.refused.append(kept)
        return cleaned


def resumable(paths: Paths, task_id: str) -> str:
    """Return why a task may still be resumed; "" if it cannot. Call it in a thread.

    One that left the list can come back as long as its worktree is in the trash.
    """
    with open_store(paths) as store:
        try:
            task = store.tasks.get(task_id, removed=True)
        except NotFound:
            return lost_reason(paths, task_id)
        except StoreDamaged as error:
            return error.message
    if task.removed is None:
        return f"the task {one_line(task_id)} can be resumed"
    return _in_trash(task)


def lost_reason(paths: Paths, task_id: str) -> str:
    """Return why what belongs to a task that the store does not know stays; empty if it can go."""
    if task_id in folders_of_tasks(paths):
        return (
            f"the store has lost its task {one_line(task_id)}, which `ctui doctor --repair` adopts"
        )
    return ""


def _in_trash(task: Task) -> str:
    try:
        entries = records(open_repository(Path(task.repository)))
    except CtuiError:
        # Perhaps a disk that is not mounted now: what cannot be seen is not taken for gone.
        return "the repository of its task cannot be looked at"
    if any(task.id in record.entry.tasks for record in entries):
        return f"the worktree of its task {one_line(task.id)} is in the trash"
    return ""


def _needed(paths: Paths, volume: Volume) -> KeptVolume | None:
    if (lost := _lost(paths, volume)) is not None:
        return lost
    if volume.in_use:
        return KeptVolume(volume.name, "a sandbox uses it", "--force stops that task")
    if volume.task and (reason := resumable(paths, volume.task)):
        return KeptVolume(volume.name, reason, f"ctui task remove --purge {volume.task}")
    return None


def _lost(paths: Paths, volume: Volume) -> KeptVolume | None:
    """Return why even `--force` leaves a volume: the conversation of a task that was lost."""
    if not volume.task:
        return None
    with open_store(paths) as store:
        known = volume.task in store.tasks.ids()
    reason = "" if known else lost_reason(paths, volume.task)
    return KeptVolume(volume.name, reason, "ctui doctor --repair") if reason else None


async def _remove(paths: Paths, engine: Engine, volume: Volume) -> KeptVolume | None:
    try:
        if volume.in_use:
            await _stop_users(paths, engine, volume.name)
        await engine.remove_volume(volume.name)
    except CtuiError as error:
        return KeptVolume(volume.name, error.message, error.hint)
    return None


async def _stop_users(paths: Paths, engine: Engine, volume: str) -> None:
    async with Client(paths) as client:
        for labels in await users(engine, volume):
            if task := labels.get(LABEL_TASK):
                await client.call(StopTask(task))


def _unknown(name: str) -> KeptVolume:
    reason = f"this ctui has no volume {one_line(name)}"
    return KeptVolume(name, reason, "`ctui volume list` shows them")


@asynccontextmanager
async def open_engine() -> AsyncIterator[Engine]:
    """Connect to the engine that answers. Raises Unavailable if none does."""
    engine = await Engine.connect()
    try:
        yield engine
    finally:
        await engine.close()
