"""Removal of worktrees that were named, or of all that may go, and the outcome for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ctui.client.worktrees.worktree_removal import WorktreeRemover
from ctui.client.worktrees.worktrees import meant_by, records
from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.worktrees.known import find_worktree, known_worktrees
from ctui.worktrees.trash.removal_checks import check_removal

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository
    from ctui.worktrees.known import KnownWorktree
    from ctui.worktrees.model import WorktreeStatus


class RemovedWorktree(msgspec.Struct, frozen=True):
    """A worktree in the trash."""

    name: str
    trash_id: str | None
    """Id that restores it; None where nothing was done."""
    evidence: str = ""
    """The reason for its status."""


class RefusedWorktree(msgspec.Struct, frozen=True):
    """A worktree that stays where it is."""

    name: str
    reason: str


class KeptWorktree(msgspec.Struct, frozen=True):
    """A worktree that is clean and not merged, and was not asked for."""

    name: str
    evidence: str


class RemovedWorktrees(msgspec.Struct, frozen=True):
    """Outcome for each worktree."""

    removed: list[RemovedWorktree] = []
    refused: list[RefusedWorktree] = []
    kept: list[KeptWorktree] = []


class BulkRemover:
    """One removal of several worktrees of a repository."""

    def __init__(
        self,
        paths: Paths,
        repository: Repository,
        *,
        force: bool,
        delete_branch: bool,
        dry_run: bool,
    ) -> None:
        """Begin with nothing done.

        Args:
            paths: whose worktrees.
            repository: of the worktrees.
            force: also those that are unclean.
            delete_branch: the branches go too, and come back with a restore.
            dry_run: say what would be done, and do nothing.
        """
        self._paths = paths
        self._repository = repository
        self._force = force
        self._delete_branch = delete_branch
        self._dry_run = dry_run
        self._done = RemovedWorktrees([], [], [])

    async def remove(self, names: Sequence[str]) -> RemovedWorktrees:
        """Remove the named worktrees; a reason is given for each that stays."""
        async with WorktreeRemover(self._paths, self._repository) as remover:
            for name in names:
                known = known_worktrees(self._repository, records(self._paths, self._repository))
                found = None
                try:
                    meant = await meant_by(self._repository, name)
                    found = find_worktree(known, meant)
                    await self._named(remover, found)
                except CtuiError as error:
                    self._refuse(found.name if found else name, error)
        return self._done

    async def _named(self, remover: WorktreeRemover, found: KnownWorktree) -> None:
        if self._dry_run:
            await self._one(remover, await remover.look(found.metadata))
            return
        entry, seen = await remover.remove_unseen(
            found.metadata, force=self._force, delete_branch=self._delete_branch
        )
        self._done.removed.append(RemovedWorktree(seen.name, entry.id, seen.evidence))

    async def clean(self, *, also_clean: bool = False) -> RemovedWorktrees:
        """Remove all that are merged, and say nothing of those that may not be removed.

        Args:
            also_clean: those too that are clean but not merged: what was begun a moment ago, what
                is pushed and open, what was reverted. With `force` they go in any case.
        """
        own = self._repository.own_branches()
        async with WorktreeRemover(self._paths, self._repository) as remover:
            for seen in await (remover.all() if self._force else remover.removable()):
                try:
                    check_removal(seen, force=self._force and not seen.is_target)
                    remover.refuse_work(seen)
                except CtuiError:
                    continue
                if seen.branch in own:
                    continue  # all others are judged against it
                if seen.status == "merged" or also_clean or self._force:
                    await self._one(remover, seen)
                else:
                    self._done.kept.append(KeptWorktree(seen.name, seen.evidence))
        return self._done

    async def _one(self, remover: WorktreeRemover, seen: WorktreeStatus) -> None:
        try:
            if self._dry_run:
                check_removal(seen, force=self._force)
                remover.refuse_work(seen)
                self._done.removed.append(RemovedWorktree(seen.name, None, seen.evidence))
                return
            entry = await remover.remove(seen, force=self._force, delete_branch=self._delete_branch)
            self._done.removed.append(RemovedWorktree(seen.name, entry.id, seen.evidence))
        except CtuiError as error:
            self._refuse(seen.name, error)

    def _refuse(self, name: str, error: CtuiError) -> None:
        self._done.refused.append(RefusedWorktree(name, error.one_line()))
