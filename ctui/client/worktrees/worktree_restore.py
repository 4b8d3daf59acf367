"""The trash of a repository, and the way back from it, tasks included: for every front end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.client.client import Client
from ctui.client.worktrees.bulk_removal import RefusedWorktree
from ctui.client.worktrees.worktrees import open_index
from ctui.environments.build.left_out import bring_back
from ctui.environments.records import Records
from ctui.errors import CtuiError, InvalidInput, NotFound
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.tasks.calls import PutBackTask
from ctui.text import one_line
from ctui.worktrees.trash.recovery import recover, trash_entries
from ctui.worktrees.trash.restore import Restored, restore_worktree

if TYPE_CHECKING:
    from ctui.worktrees.trash.entries import TrashEntry


class RestoredWorktree(msgspec.Struct, frozen=True):
    """A worktree that is back."""

    name: str
    path: str
    branch: str | None


class RestoredWorktrees(msgspec.Struct, frozen=True):
    """Worktrees that came back from the trash, and entries that did not."""

    restored: list[RestoredWorktree] = []
    refused: list[RefusedWorktree] = []
    """Entries that stay in the trash, by what was asked for."""
    notes: list[str] = []
    """Differences from how they were, a sentence each."""


async def restore_worktrees(paths: Paths, git_dir: Path, ids: Sequence[str]) -> RestoredWorktrees:
    """Restore several entries of the trash, each once."""
    restored, refused = await restore_all(paths, git_dir, list(dict.fromkeys(ids)))
    return RestoredWorktrees(
        [RestoredWorktree(_name(item), item.path, item.branch) for item in restored],
        [RefusedWorktree(entry, error.one_line()) for entry, error in refused.items()],
        [note for item in restored for note in item.notes],
    )


def _name(item: Restored) -> str:
    return item.record.name if item.record is not None else item.entry.name


class Trash:
    """The trash of one repository."""

    def __init__(self, client: Client, repository: Repository) -> None:
        """Begin without looking.

        Args:
            client: a driver is started only if a task must be put back.
            repository: whose worktrees.
        """
        self._client = client
        self._repository = repository

    async def restore(self, entry_id: str) -> Restored:
        """Bring a worktree back exactly as it was, and its tasks to the list.

        Raises:
            NotFound, Conflict, Unavailable: it stays in the trash.
        """
        restored = await restore_worktree(self._repository, entry_id)
        restored = await self._keep(restored)
        if restored.path == restored.entry.path:
            for task in restored.entry.tasks:
                try:
                    await self._client.call(PutBackTask(task))
                except NotFound:
                    continue  # it was purged meanwhile
        return restored

    async def entries(self) -> Sequence[TrashEntry]:
        """Return everything that can be restored, after completing what a crash cut off."""
        for restored in await recover(self._repository):
            await self._keep(restored)
        return await trash_entries(self._repository)

    async def _keep(self, restored: Restored) -> Restored:
        """Put it on record again, with the folders that the trash did without."""
        if (record := restored.record) is None:
            return restored
        with open_index(self._client.paths) as index:
            index.worktrees.save(record.path, record.repository, msgspec.json.encode(record))
        kept = Records(self._client.paths).carried
        notes = await bring_back(Path(record.metadata), Path(record.path), kept)
        return restored._replace(notes=[*restored.notes, *notes])


@asynccontextmanager
async def open_trash(paths: Paths, git_dir: Path) -> AsyncIterator[Trash]:
    """Open the trash of the repository in `git_dir`, with a client of its own."""
    repository = await asyncio.to_thread(open_repository, git_dir)
    async with Client(paths) as client:
        yield Trash(client, repository)


async def restore_all(
    paths: Paths, git_dir: Path, ids: Sequence[str]
) -> tuple[list[Restored], dict[str, CtuiError]]:
    """Restore several entries; return what came back, and why the others did not.

    Each by its id, or by the name of its worktree where only one in the trash has it.
    """
    restored: list[Restored] = []
    refused: dict[str, CtuiError] = {}
    async with open_trash(paths, git_dir) as trash:
        named = _by_name(await trash.entries())
        for entry_id in ids:
            try:
                restored.append(await trash.restore(_only_one(entry_id, named)))
            except CtuiError as error:
                refused[entry_id] = error
    return restored, refused


def _by_name(entries: Sequence[TrashEntry]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(entry.name, []).append(entry.id)
    return found


def _only_one(wanted: str, named: Mapping[str, Sequence[str]]) -> str:
    """Return the entry's id. Raises InvalidInput where several have the name."""
    ids = named.get(wanted, [wanted])
    if len(ids) > 1:
        raise InvalidInput(
            f"{len(ids)} in the trash are called {one_line(wanted)}",
            hint="choose one: " + ", ".join(ids),
        )
    return ids[0]
