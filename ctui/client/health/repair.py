"""`ctui doctor --repair`: the store made whole again; nothing is deleted.

What can be read of the damaged file is kept. What it lost is taken from the records and journals in
the tasks' folders and from the labels of the sandboxes: such a task is adopted as ended, or as
running where a sandbox of its own is there. The damaged file stays beside the new one.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ctui.client.driver_process import without_driver
from ctui.client.health import adoption
from ctui.client.worktrees.worktrees import restore_records
from ctui.errors import StoreDamaged, Unavailable
from ctui.paths import Paths, private_folder
from ctui.tasks.lost import LostTask, lost_tasks, rebuild_task
from ctui.tasks.model import Run
from ctui.tasks.store import DamagedRow, Store
from ctui.text import one_line


class Repair(msgspec.Struct):
    """Outcome of a repair, a line for each thing."""

    done: list[str] = msgspec.field(default_factory=list)
    left: list[str] = msgspec.field(default_factory=list)
    """Things that could not be read or reached."""

    def skip(self, rows: Iterable[DamagedRow]) -> None:
        """Name the rows that could not be used."""
        self.left += [
            f"skipped {one_line(row.table)} {one_line(row.key)}: {row.reason}" for row in rows
        ]


async def repair(paths: Paths) -> Repair:
    """Make the store usable, and adopt what it has lost.

    Raises:
        CtuiError: why that cannot be; nothing was changed.
    """
    private_folder(paths.state)
    outcome = Repair()
    async with without_driver(paths):
        if await asyncio.to_thread(_needs_rebuilding, paths):
            await asyncio.to_thread(_rebuild_file, paths, outcome)
        store = Store(paths.database)
        try:
            _adopt_folders(paths, store, outcome)
            await adoption.adopt_sandboxes(paths, store, outcome.done, outcome.left)
            adoption.settle_asks(store)
            restored = restore_records(paths, store)
            outcome.done += [f"recorded the worktree {one_line(name)}" for name in restored]
            outcome.skip(store.quarantine_orphans())
        finally:
            store.close()
    return outcome


def _needs_rebuilding(paths: Paths) -> bool:
    """Return True if the store is damaged.

    Raises:
        CtuiError: what another file would not mend: it is locked, read-only or newer.
    """
    try:
        store = Store(paths.database, busy_seconds=1.0)
    except StoreDamaged:
        return True
    try:
        return bool([row for row in store.check() if row.reason != "its task is missing"])
    except StoreDamaged:
        return True
    finally:
        store.close()


def _rebuild_file(paths: Paths, outcome: Repair) -> None:
    """Put a new store into the damaged one's place, with every row that can be read."""
    database = paths.database
    older = [
        path
        for path in paths.state.glob(f"{database.name}.damaged*")
        if not path.name.endswith(("-wal", "-shm"))
    ]
    older.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    beside = Path(tempfile.mkdtemp(dir=paths.state, prefix="repair-"))
    try:
        store = Store(beside / "ctui.db")
        try:
            if database.exists() and database.stat().st_size:
                outcome.skip(store.salvage(database))
            for source in older:
                if lost := lost_tasks(paths, store.tasks.ids()):
                    store.salvage(source, only_tasks=lost)
        finally:
            store.close()
        kept = _swap(database, beside / "ctui.db")
    except OSError as error:
        raise Unavailable(
            f"the store cannot be rebuilt: {error.strerror}", hint="free some space, try again"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    outcome.done.append(
        f"made a new store; the damaged one is {kept}" if kept else "made a new store"
    )


def _swap(database: Path, new: Path) -> Path | None:
    """Put the new file into its place in one step; the old one and its log get another name.

    A log that stayed would be taken for the new file's.
    """
    kept = database.with_name(f"{database.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    was_there = database.exists()
    if was_there:
        kept.hardlink_to(database)
    for end in ("-wal", "-shm"):
        log = database.with_name(database.name + end)
        if log.exists():
            log.rename(kept.with_name(kept.name + end))
    new.replace(database)
    return kept if was_there else None


def _adopt_folders(paths: Paths, store: Store, outcome: Repair) -> None:
    """Add the tasks whose folder is there and whose row is not."""
    places = store.quarantined_places()
    for task_id in lost_tasks(paths, store.tasks.ids()):
        found = rebuild_task(paths, task_id)
        if not found.located:
            found = adoption.locate(paths, found, places.get(task_id))
        _add(store, found)
        where = "" if found.located else ", and nothing tells which worktree was its own"
        outcome.done.append(f"adopted task {task_id} (ended{where})")


def _add(store: Store, found: LostTask) -> None:
    task = found.task
    with store.transaction():
        there = {run.number for run in store.runs.of(task.id)}
        store.tasks.add(task)
        for message in found.messages:
            store.messages.add(message)
        for number in set(range(1, found.runs + 1)) - there:
            # Their numbers are taken: sandboxes and journal lines are called by them.
            end = task.updated
            store.runs.add(Run(task=task.id, number=number, container="", created=end, ended=end))
