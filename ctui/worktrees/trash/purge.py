"""Purge of the trash by age and size, in the background. An entry that is purged is not listed."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.errors import CtuiError
from ctui.git.repository.repository import Repository
from ctui.rmtree import Stopped, TreeRemover
from ctui.text import one_line
from ctui.worktrees.trash.entries import (
    TrashRecord,
    forget_record,
    records,
    tidy_holder,
    trash_folder,
    write_record,
)
from ctui.worktrees.trash.keep_refs import delete_forgotten_keep_refs, delete_keep_refs
from ctui.worktrees.trash.lock import purge_lock, trash_lock
from ctui.worktrees.trash.old_trash import take_over_old_entries
from ctui.worktrees.trash.renames import is_at

_NICENESS = 10
_BLOCK = 512
_SIZE_SECONDS = 10.0
_CLOCK_EVERY = 500


class Size(NamedTuple):
    """Disk usage of an entry."""

    bytes: int
    """Bytes on disk; a file with several names counts once."""
    complete: bool
    """False if time ran out; the bytes are then a lower bound."""


class Purged(msgspec.Struct, frozen=True):
    """Result of a purge."""

    ids: list[str]
    freed: int
    """Freed bytes on disk."""
    problems: list[str]
    """Reasons why something could not be deleted, a sentence each; the next purge tries again."""


async def purge(
    repository: Repository,
    *,
    older_than: float | None = None,
    keep_bytes: int | None = None,
    ids: Collection[str] = (),
) -> Purged:
    """Delete entries for good, and continue an interrupted purge.

    Args:
        repository: whose trash it is.
        older_than: seconds; every entry that was removed longer ago goes.
        keep_bytes: the oldest go until the others occupy no more than this.
        ids: entries that go in any case.

    Raises:
        Conflict: another process purges this trash.
        Unavailable: it cannot be written.
    """
    async with purge_lock(repository):
        return await _purge(repository, older_than, keep_bytes, frozenset(ids))


async def _purge(
    repository: Repository,
    older_than: float | None,
    keep_bytes: int | None,
    ids: frozenset[str],
) -> Purged:
    sizes = await asyncio.to_thread(_sizes, repository) if keep_bytes is not None else {}
    async with trash_lock(repository):
        take_over_old_entries(repository)
        await delete_forgotten_keep_refs(repository, _known_ids(repository))
        chosen = _chosen(records(repository), older_than, keep_bytes, ids, sizes)
        doomed = [_doom(repository, record) for record in chosen]
    # From here on nobody can restore them, so the lock is not needed any more.
    gone: list[str] = []
    freed, problems = 0, list[str]()
    for record in doomed:
        remover, problem = await _in_background(record)
        freed += remover.freed
        if problem:
            problems.append(problem)
            continue
        await delete_keep_refs(repository, record.entry.id)
        forget_record(repository, record)
        gone.append(record.entry.id)
    return Purged(gone, freed, problems)


def entry_size(repository: Repository, entry_id: str, *, seconds: float = _SIZE_SECONDS) -> Size:
    """Measure an entry for at most that long. Call it in a thread."""
    found = [record for record in records(repository) if record.entry.id == entry_id]
    return _size(found[0], seconds) if found else Size(0, complete=True)


def _chosen(
    known: list[TrashRecord],
    older_than: float | None,
    keep_bytes: int | None,
    ids: frozenset[str],
    sizes: dict[str, int],
) -> list[TrashRecord]:
    listed = [record for record in known if record.stage == "removed"]
    wanted = set(ids)
    if older_than is not None:
        before = time.time_ns() - int(older_than * 1e9)
        wanted |= {record.entry.id for record in listed if record.entry.removed < before}
    if keep_bytes is not None:
        kept = 0
        for record in reversed(listed):
            if record.entry.id not in wanted:
                kept += sizes.get(record.entry.id, 0)
                wanted |= {record.entry.id} if kept > keep_bytes else set()
    return [
        record
        for record in known
        if record.stage == "purging" or (record.stage == "removed" and record.entry.id in wanted)
    ]


def _known_ids(repository: Repository) -> set[str]:
    """Return the ids of entries, also of those whose record cannot be read."""
    return {path.name.removesuffix(".json") for path in trash_folder(repository).iterdir()}


def _doom(repository: Repository, record: TrashRecord) -> TrashRecord:
    doomed = msgspec.structs.replace(record, stage="purging")
    if record.stage != "purging":
        write_record(repository, doomed)
    return doomed


async def _in_background(record: TrashRecord) -> tuple[TreeRemover, str]:
    """Delete an entry's files in a low-priority thread, which stops on cancellation."""
    stop = threading.Event()
    remover = TreeRemover(stop.is_set)
    done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def finish(problem: str) -> None:
        if not done.done():
            done.set_result(problem)

    def work() -> None:
        with suppress(OSError):
            if sys.platform == "linux":  # where a thread has a niceness of its own (setpriority(2))
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        problem = _erase(remover, record)
        with suppress(RuntimeError):  # the loop is gone: so is who waited
            loop.call_soon_threadsafe(finish, problem)

    thread = threading.Thread(target=work, name="purge", daemon=True)
    thread.start()
    try:
        return remover, await done
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)


def _erase(remover: TreeRemover, record: TrashRecord) -> str:
    """Delete the folders that were moved into the trash.

    Returns:
        what is in the way, or nothing.
    """
    shown = one_line(record.entry.name)
    # The worktree goes first: the metadata must outlast everything that needs its objects.
    for moved in reversed(record.moved):
        try:
            remover.remove(Path(moved.target), moved.inode)
        except Stopped:
            return f"the deletion of {shown} was stopped"
        except CtuiError as error:
            return f"{shown} cannot be deleted: {one_line(error.message, 300)}"
        except OSError as error:
            where = f" ({one_line(os.fsdecode(error.filename))})" if error.filename else ""
            return f"{shown} cannot be deleted: {error.strerror}{where}"
        tidy_holder(Path(moved.target).parent)
    return ""


def _sizes(repository: Repository) -> dict[str, int]:
    return {
        record.entry.id: _size(record, _SIZE_SECONDS).bytes
        for record in records(repository)
        if record.stage == "removed"
    }


def _size(record: TrashRecord, seconds: float) -> Size:
    deadline = time.monotonic() + seconds
    seen: set[tuple[int, int]] = set()
    total, complete = 0, True
    for moved in record.moved:
        if is_at(Path(moved.target), moved):
            more, whole = _tree_size(Path(moved.target), seen, deadline)
            total, complete = total + more, complete and whole
    return Size(total, complete)


def _tree_size(top: Path, seen: set[tuple[int, int]], deadline: float) -> Size:
    total, count, complete = top.lstat().st_blocks * _BLOCK, 0, True
    waiting = [top]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if count % _CLOCK_EVERY == 0 and time.monotonic() > deadline:
                        return Size(total, complete=False)
                    status = entry.stat(follow_symlinks=False)
                    key = (status.st_dev, status.st_ino)
                    if status.st_nlink == 1 or stat.S_ISDIR(status.st_mode) or key not in seen:
                        total += status.st_blocks * _BLOCK
                    seen |= {key} if status.st_nlink > 1 else set()
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(Path(entry.path))
        except OSError:  # not readable, or deeper than a path can say
            complete = False
    return Size(total, complete)
