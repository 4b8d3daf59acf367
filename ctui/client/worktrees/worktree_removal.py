"""Removal of worktrees together with their tasks: for every front end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from ctui.client.worktrees.survey import open_survey
from ctui.client.worktrees.worktrees import open_index, open_store
from ctui.environments.build.carried_file import has_carried
from ctui.errors import CtuiError, Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.text import one_line
from ctui.worktrees.landing.unfinished import complete_unfinished
from ctui.worktrees.model import WorktreeStatus
from ctui.worktrees.proof.worker import ProofWorker
from ctui.worktrees.trash.entries import TrashEntry, trash_folder
from ctui.worktrees.trash.removal import look_for_removal, remove_seen, remove_worktree
from ctui.worktrees.trash.removal_checks import check_removal

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.tasks.database.worktree_index import WorktreeIndex
    from ctui.tasks.model import Task
    from ctui.worktrees.survey import Survey


class WorktreeRemover:
    """Remover of the worktrees of one repository; `async with` ends what it started."""

    def __init__(self, paths: Paths, repository: Repository, client: Client | None = None) -> None:
        """Begin with nothing open.

        Args:
            paths: whose worktrees.
            repository: of the worktrees.
            client: by which tasks are stopped; one of its own, where there are any, by default.
        """
        self._paths = paths
        self._repository = repository
        self._client = client
        self._prover = ProofWorker(paths.cache)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._open.push_async_callback(self._prover.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def look(self, metadata: Path) -> WorktreeStatus:
        """Look at one worktree that may be removed. Raises NotFound."""
        with open_index(self._paths) as index:
            return await self._survey(index).one(metadata, outlook=False)

    async def all(self) -> list[WorktreeStatus]:
        """Look at every worktree, by name, after completing what a crash cut off."""
        await complete_unfinished(self._repository)
        with open_index(self._paths) as index:
            return await self._survey(index).listed()

    async def removable(self) -> list[WorktreeStatus]:
        """Look for every worktree that is merged or clean, by name; as `all`."""
        await complete_unfinished(self._repository)
        with open_index(self._paths) as index:
            return await self._survey(index).removable()

    def refuse_work(self, seen: WorktreeStatus) -> None:
        """Raise Refused if a task works in it."""
        with open_index(self._paths) as index:
            _refuse_live(self._tasks(index, seen.path))

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
        with open_index(self._paths) as index:
            tasks = self._tasks(index, seen.path)
            _refuse_live(tasks)
            if tasks:
                await self._stop(tasks)
            entry = await remove_worktree(
                self._survey(index),
                seen,
                force=force,
                delete_branch=delete_branch,
                still_free=partial(self._nobody_works, index, seen.path),
                tasks=tuple(task.id for task in tasks),
            )
            index.worktrees.forget(seen.path)
        await self._leave_out(entry)
        if tasks:
            await self._take_off(tasks)
        return entry

    async def remove_unseen(
        self, metadata: Path, *, force: bool = False, delete_branch: bool = False
    ) -> tuple[TrashEntry, WorktreeStatus]:
        """Move a worktree into the trash that a person named, by its metadata folder.

        Where no task must be stopped first, it is looked at once. Raises as `remove`.
        """
        with open_index(self._paths) as index:
            survey = self._survey(index)
            seen = await look_for_removal(survey, metadata, force=force)
            path = seen.status.path
            if not index.places.any_at(path):
                entry = await remove_seen(
                    survey,
                    seen,
                    delete_branch=delete_branch,
                    still_free=partial(self._nobody_works, index, path),
                )
                index.worktrees.forget(path)
                await self._leave_out(entry)
                return entry, seen.status
        entry = await self.remove(seen.status, force=force, delete_branch=delete_branch)
        return entry, seen.status

    def _survey(self, index: WorktreeIndex) -> Survey:
        return open_survey(self._paths, index, self._repository, self._prover)

    async def _leave_out(self, entry: TrashEntry) -> None:
        """Keep nothing in the trash that an environment has too; what cannot be erased stays."""
        metadata = trash_folder(self._repository) / entry.id
        if entry.place is None or not has_carried(metadata):
            return
        from ctui.environments.build.left_out import leave_out
        from ctui.environments.records import Records

        with suppress(OSError):
            kept = Records(self._paths).carried
            await asyncio.to_thread(leave_out, metadata, Path(entry.place), kept)

    # -- tasks

    def _tasks(self, index: WorktreeIndex, path: str) -> list[Task]:
        """Return the tasks of a worktree; nearly always there are none to be read."""
        if not index.places.any_at(path):
            return []
        with open_store(self._paths) as store:
            return store.tasks.list(worktree=path)

    def _nobody_works(self, index: WorktreeIndex, path: str) -> bool:
        return not any(task.works for task in self._tasks(index, path))

    async def _driver(self) -> Client:
        if self._client is None:
            from ctui.client.client import Client

            self._client = await self._open.enter_async_context(Client(self._paths))
        return self._client

    async def _stop(self, tasks: Sequence[Task]) -> None:
        from ctui.tasks.calls import StopTask

        client = await self._driver()
        for task in tasks:
            await client.call(StopTask(task.id))

    async def _take_off(self, tasks: Sequence[Task]) -> None:
        """Take tasks off the list."""
        from ctui.tasks.calls import RemoveTask

        client = await self._driver()
        for task in tasks:
            await client.call(RemoveTask(task.id))


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


@asynccontextmanager
async def open_remover(paths: Paths, git_dir: Path) -> AsyncIterator[WorktreeRemover]:
    """Open a remover of the repository in `git_dir`."""
    repository = await asyncio.to_thread(open_repository, git_dir)
    async with WorktreeRemover(paths, repository) as remover:
        yield remover
