"""Removal of worktrees together with their tasks, and their return: for every front end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from ctui.client.client import Client
from ctui.client.worktrees.survey import open_survey
from ctui.client.worktrees.worktrees import open_store
from ctui.environments.build.left_out import bring_back, leave_out
from ctui.environments.records import Records
from ctui.errors import CtuiError, InvalidInput, NotFound, Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.tasks.calls import PutBackTask, RemoveTask, StopTask
from ctui.text import one_line
from ctui.worktrees.landing.unfinished import complete_unfinished
from ctui.worktrees.model import WorktreeStatus
from ctui.worktrees.proof.worker import ProofWorker
from ctui.worktrees.trash.entries import TrashEntry, trash_folder
from ctui.worktrees.trash.recovery import recover, trash_entries
from ctui.worktrees.trash.removal import look_for_removal, remove_seen, remove_worktree
from ctui.worktrees.trash.removal_checks import check_removal
from ctui.worktrees.trash.restore import Restored, restore_worktree

if TYPE_CHECKING:
    from ctui.tasks.model import Task
    from ctui.tasks.store import Store
    from ctui.worktrees.survey import Survey


class WorktreeRemover:
    """Remover of the worktrees of one repository; `async with` ends what it started."""

    def __init__(self, client: Client, repository: Repository) -> None:
        """Begin with nothing open.

        Args:
            client: a driver is started only if a task must be stopped or put back.
            repository: whose worktrees.
        """
        self._client = client
        self._repository = repository
        self._prover = ProofWorker(client.paths.cache)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._prover.close()

    async def look(self, metadata: Path) -> WorktreeStatus:
        """Look at one worktree that may be removed. Raises NotFound."""
        with open_store(self._client.paths) as store:
            return await self._survey(store).one(metadata, outlook=False)

    async def all(self) -> list[WorktreeStatus]:
        """Look at every worktree, by name, after completing what a crash cut off."""
        await complete_unfinished(self._repository)
        with open_store(self._client.paths) as store:
            return await self._survey(store).listed()

    async def removable(self) -> list[WorktreeStatus]:
        """Look for every worktree that is merged or clean, by name; as `all`."""
        await complete_unfinished(self._repository)
        with open_store(self._client.paths) as store:
            return await self._survey(store).removable()

    def refuse_work(self, seen: WorktreeStatus) -> None:
        """Raise Refused if a task works in it."""
        with open_store(self._client.paths) as store:
            _refuse_live(store.tasks.list(worktree=seen.path))

    async def remove(
        self, seen: WorktreeStatus, *, force: bool = False, delete_branch: bool = False
    ) -> TrashEntry:
        """Move a worktree into the trash, and take its tasks off the list.

        Idle tasks are stopped; one that works is a reason to refuse.

        Args:
            seen: what the person decided on; what changed since then is a reason to refuse.
            force: also if it is unclean.
            delete_branch: the branch goes too, and comes back with a restore.

        Raises:
            NotFound, Refused, Conflict, Unavailable: it stays where it is.
        """
        check_removal(seen, force=force)
        with open_store(self._client.paths) as store:
            tasks = store.tasks.list(worktree=seen.path)
            _refuse_live(tasks)
            for task in tasks:
                await self._client.call(StopTask(task.id))
            entry = await remove_worktree(
                self._survey(store),
                seen,
                force=force,
                delete_branch=delete_branch,
                still_free=partial(_nobody_works, store, seen.path),
                tasks=tuple(task.id for task in tasks),
            )
            store.worktrees.forget(seen.path)
        await asyncio.to_thread(self._leave_out, entry)
        for task in tasks:
            await self._client.call(RemoveTask(task.id))
        return entry

    async def remove_unseen(
        self, metadata: Path, *, force: bool = False, delete_branch: bool = False
    ) -> tuple[TrashEntry, WorktreeStatus]:
        """Move a worktree into the trash that a person named, by its metadata folder.

        Where no task must be stopped first, it is looked at once. Raises as `remove`.
        """
        with open_store(self._client.paths) as store:
            survey = self._survey(store)
            seen = await look_for_removal(survey, metadata, force=force)
            path = seen.status.path
            if not store.tasks.list(worktree=path):
                entry = await remove_seen(
                    survey,
                    seen,
                    delete_branch=delete_branch,
                    still_free=partial(_nobody_works, store, path),
                )
                store.worktrees.forget(path)
                await asyncio.to_thread(self._leave_out, entry)
                return entry, seen.status
        entry = await self.remove(seen.status, force=force, delete_branch=delete_branch)
        return entry, seen.status

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

    async def trash(self) -> Sequence[TrashEntry]:
        """Return everything that can be restored, after completing what a crash cut off."""
        for restored in await recover(self._repository):
            await self._keep(restored)
        return await trash_entries(self._repository)

    def _survey(self, store: Store) -> Survey:
        return open_survey(self._client.paths, store, self._repository, self._prover)

    async def _keep(self, restored: Restored) -> Restored:
        """Put it on record again, with the folders that the trash did without."""
        if (record := restored.record) is None:
            return restored
        with open_store(self._client.paths) as store:
            store.worktrees.save(record.path, record.repository, msgspec.json.encode(record))
        kept = Records(self._client.paths).carried
        notes = await bring_back(Path(record.metadata), Path(record.path), kept)
        return restored._replace(notes=[*restored.notes, *notes])

    def _leave_out(self, entry: TrashEntry) -> None:
        """Keep nothing in the trash that an environment has too; what cannot be erased stays."""
        if entry.place is not None:
            metadata = trash_folder(self._repository) / entry.id
            with suppress(OSError):
                leave_out(metadata, Path(entry.place), Records(self._client.paths).carried)


def _nobody_works(store: Store, path: str) -> bool:
    return not any(task.works for task in store.tasks.list(worktree=path))


def _refuse_live(tasks: Sequence[Task]) -> None:
    for task in tasks:
        if task.works:
            doing = str(task.state) if task.state.live else "running a command"
            raise Refused(
                f"the task {one_line(task.id)} is {doing}", hint=f"ctui task stop {task.id}"
            )


class Outcome(NamedTuple):
    """Outcome of several removals."""

    removed: list[TrashEntry]
    refused: list[tuple[WorktreeStatus, CtuiError]]


async def remove_all(
    paths: Paths,
    git_dir: Path,
    seen: Sequence[WorktreeStatus],
    *,
    force: bool,
    delete_branch: bool,
) -> Outcome:
    """Remove several worktrees, one after the other; what is refused stays where it is."""
    outcome = Outcome([], [])
    async with open_remover(paths, git_dir) as remover:
        for status in seen:
            try:
                entry = await remover.remove(status, force=force, delete_branch=delete_branch)
            except CtuiError as error:
                outcome.refused.append((status, error))
            else:
                outcome.removed.append(entry)
    return outcome


async def restore_all(
    paths: Paths, git_dir: Path, ids: Sequence[str]
) -> tuple[list[Restored], dict[str, CtuiError]]:
    """Restore several entries; return what came back, and why the others did not.

    Each by its id, or by the name of its worktree where only one in the trash has it.
    """
    restored: list[Restored] = []
    refused: dict[str, CtuiError] = {}
    async with open_remover(paths, git_dir) as remover:
        named = _by_name(await remover.trash())
        for entry_id in ids:
            try:
                restored.append(await remover.restore(_only_one(entry_id, named)))
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


@asynccontextmanager
async def open_remover(
    paths: Paths, git_dir: Path, *, target: str = ""
) -> AsyncIterator[WorktreeRemover]:
    """Open a remover of the repository in `git_dir`, with a client of its own.

    Args:
        paths: whose worktrees.
        git_dir: of the repository.
        target: branch that they are judged against; "" for that of the settings.
    """
    repository = await asyncio.to_thread(open_repository, git_dir)
    if target:
        repository.judge_against(target)
    async with Client(paths) as client, WorktreeRemover(client, repository) as remover:
        yield remover
