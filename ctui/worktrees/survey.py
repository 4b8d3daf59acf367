"""Survey of all worktrees of a repository: their files by git, their work by proof."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from ctui.errors import CtuiError, NotFound
from ctui.git.process.command import filter_settings
from ctui.git.repository.repository import Repository
from ctui.worktrees.git_status import GitStatus, ManyStatuses, git_status
from ctui.worktrees.identity import (
    checked_path,
    head_of,
    last_active,
    lock_of,
    only_created,
    ref_of,
    state_of,
    text_of,
)
from ctui.worktrees.model import (
    Changes,
    Problem,
    Proof,
    State,
    Upstream,
    Verdict,
    Work,
    WorktreeRecord,
    WorktreeStatus,
)
from ctui.worktrees.proof.batches import ProofBatches, Prove
from ctui.worktrees.proof.question import PROVEN
from ctui.worktrees.unreachable_commits import UnreachableCommits

_AT_ONCE = 2
"""Number of git processes at a time; more gain nothing on two cores and starve the tasks."""

_PROVEN_FIRST = 16
"""Number of proofs in the first batch where results are seen one by one; the next ones double.

Each batch reads the target's history once more.
"""

_OPEN = frozenset({"unmerged", "undone"})
_NOTHING_OWN = frozenset({"no-commits", "empty", "undone"})
_OWN = Verdict("no-commits", "it has the target itself")


class _Seen(NamedTuple):
    """Files of a worktree."""

    path: Path
    problem: Problem | None
    look: GitStatus | None
    """None if nobody could look at them."""


class Survey:
    """One survey of a repository. Its targets and settings are read once."""

    def __init__(
        self,
        repository: Repository,
        prove: Prove,
        *,
        records: Mapping[str, WorktreeRecord] | None = None,
        also: Mapping[str, tuple[tuple[str, str], ...]] | None = None,
        looks: dict[Path, GitStatus] | None = None,
    ) -> None:
        """Prepare a survey without reading anything yet.

        Args:
            repository: whose linked worktrees; the main checkout is none of them.
            prove: judges their work.
            records: by metadata folder, of those that ctui made or adopted.
            also: by metadata folder, name and commit of what else only that worktree's tasks have.
            looks: by metadata folder, what is known of their files; kept up to date, so that an
                earlier survey's can be given to the next one.
        """
        self.repository = repository
        self._prove = prove
        self._records = records or {}
        self._also = also or {}
        self._looks = {} if looks is None else looks
        self._many: ManyStatuses | None = None
        self._unreachable = UnreachableCommits(repository)

    @cached_property
    def _own(self) -> set[str | None]:
        """Short names of the branches that others are judged against."""
        return self.repository.own_branches() - {None}

    def record_of(self, metadata: Path) -> WorktreeRecord | None:
        """Return ctui's record of a worktree that it made or adopted, or None."""
        return self._records.get(str(metadata))

    def look_of(self, metadata: Path) -> GitStatus | None:
        """Return what was last seen of a worktree's files, or None if nobody could look at them."""
        return self._looks.get(metadata)

    @cached_property
    def folders(self) -> list[Path]:
        """The metadata folder of every linked worktree, by name."""
        folder = self.repository.common_dir / "worktrees"
        return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []

    async def all(
        self, first: Sequence[str] = (), *, again: bool = True, portion: int = _PROVEN_FIRST
    ) -> AsyncIterator[WorktreeStatus]:
        """Yield every worktree as soon as its status is known.

        Args:
            first: paths that somebody waits for.
            again: look at the files of those too whose look is known.
            portion: number of proofs that come first; 0 where nobody sees any before the last.
        """
        if again:
            self._looks.clear()
        order = {path: place for place, path in enumerate(first)}
        found = self.folders
        if order:
            found = sorted(found, key=lambda folder: order.get(self._path(folder), len(order)))
        self._many = ManyStatuses(await self._shared_settings(), _AT_ONCE)
        # Git reads the files while commits are looked up and proven.
        seen = {folder: asyncio.create_task(self._see(folder)) for folder in found}
        jobs: list[asyncio.Task[Any]] = [*seen.values()]
        try:
            works = await self._works(found)
            proofs = ProofBatches(self._prove, works, first=portion)
            whole = [
                asyncio.create_task(self._one(folder, work, proofs, seen[folder]))
                for folder, work in works.items()
            ]
            jobs += [*proofs.jobs, *whole]
            for done in asyncio.as_completed(whole):
                yield await done
        finally:
            for job in jobs:
                job.cancel()

    async def listed(self) -> list[WorktreeStatus]:
        """Return every worktree, sorted by name."""
        found = [status async for status in self.all(portion=0)]
        return sorted(found, key=lambda status: status.name)

    async def removable(self) -> list[WorktreeStatus]:
        """Return every worktree that is merged or clean, sorted by name.

        Where work is neither proven nor at an upstream, nobody looks at the files: it is unclean,
        whatever they are, and nobody asks what landing it would bring.
        """
        self._looks.clear()
        self._many = ManyStatuses(await self._shared_settings(), _AT_ONCE)
        works = await self._works(self.folders, outlook=False)
        proofs = ProofBatches(self._prove, works)
        jobs = [asyncio.create_task(self._removable(*each, proofs)) for each in works.items()]
        try:
            found = [status for status in await asyncio.gather(*jobs) if status is not None]
        finally:
            for job in (*jobs, *proofs.jobs):
                job.cancel()
        found = await self._with_outlook(found, works)
        return sorted(found, key=lambda status: status.name)

    async def one(self, metadata: Path, *, outlook: bool = True) -> WorktreeStatus:
        """Return one worktree by its metadata folder.

        Args:
            metadata: the folder.
            outlook: ask too what landing it would bring.

        Raises:
            NotFound: there is no such folder any more.
        """
        if not metadata.is_dir():
            raise NotFound(f"{metadata.name} is no worktree any more", hint="ctui worktree list")
        self._looks.pop(metadata, None)
        self._many = None
        work = self._work(metadata, outlook=outlook)
        proofs = ProofBatches(self._prove, {metadata: work})
        return await self._one(metadata, work, proofs, self._see(metadata))

    # -- one worktree

    async def _removable(
        self, metadata: Path, work: Work | None, proofs: ProofBatches
    ) -> WorktreeStatus | None:
        proven = await proofs.of[metadata]
        if proven.verdict.kind not in PROVEN | _NOTHING_OWN and not self._has_upstream(metadata):
            return None
        status = await self._one(metadata, work, proofs, self._see(metadata))
        return status if status.status != "unclean" else None

    async def _with_outlook(
        self, found: Sequence[WorktreeStatus], works: Mapping[Path, Work | None]
    ) -> list[WorktreeStatus]:
        """Add what landing them would bring to the statuses of those that are open."""
        asked = {
            Path(status.metadata): msgspec.structs.replace(work, outlook=True)
            for status in found
            if (work := works[Path(status.metadata)]) and status.verdict.kind in _OPEN
        }
        proofs = ProofBatches(self._prove, asked)
        return [
            _with_lines(status, await proofs.of[Path(status.metadata)])
            if Path(status.metadata) in asked
            else status
            for status in found
        ]

    async def _one(
        self, metadata: Path, work: Work | None, proofs: ProofBatches, seen: Awaitable[_Seen]
    ) -> WorktreeStatus:
        record = self.record_of(metadata)
        path, problem, look = await seen
        proven = await proofs.of[metadata]
        if look is not None and look.head and work is not None and look.head != work.tip:
            # A commit was made between the two readings.
            proven = await proofs.one(msgspec.structs.replace(work, tip=look.head))
        upstream = look.upstream if look else Upstream()
        changes = look.changes if look else None
        state = state_of(metadata)
        is_target = self._is_target(metadata)
        if is_target:
            proven = msgspec.structs.replace(proven, verdict=_OWN)
        return WorktreeStatus(
            name=record.name if record else metadata.name,
            path=str(path),
            metadata=str(metadata),
            branch=look.branch if look else record.branch if record else None,
            head=(look.head if look else None) or (work.tip if work else None),
            base=record.base if record else None,
            status=_status(
                proven, changes, problem, state, held=is_target or self._pushed(upstream)
            ),
            is_target=is_target,
            verdict=proven.verdict,
            changes=changes,
            upstream=upstream,
            ahead=proven.ahead,
            behind=proven.behind,
            state=state,
            locked=lock_of(metadata),
            problem=problem,
            active=last_active(metadata),
            added=proven.added,
            removed=proven.removed,
            conflict=proven.conflict,
            files=proven.files,
        )

    async def _see(self, metadata: Path) -> _Seen:
        path, problem = checked_path(self.repository, metadata, self.record_of(metadata))
        look = None
        if problem is None:
            look = await self._look(metadata, path)
            problem = _problem_of(look)
        return _Seen(path, problem, look)

    async def _look(self, metadata: Path, path: Path) -> GitStatus | None:
        known = self._looks.get(metadata)
        if known is not None and known.head == head_of(self.repository, metadata):
            return known
        try:
            look = await git_status(metadata, path, self._many)
        except CtuiError:
            return None
        self._looks[metadata] = look
        return look

    async def _shared_settings(self) -> list[str] | None:
        """Return the filters to switch off, or None if worktrees have settings of their own."""
        config = self.repository.git.config
        if "extensions.worktreeConfig" in config and config.get_bool("extensions.worktreeConfig"):
            return None
        return await filter_settings(self.repository.common_dir)

    def _is_target(self, metadata: Path) -> bool:
        return ref_of(metadata).removeprefix("refs/heads/") in self._own

    def _has_upstream(self, metadata: Path) -> bool:
        branch = ref_of(metadata).removeprefix("refs/heads/")
        try:
            return f"branch.{branch}.merge" in self.repository.git.config
        except ValueError:  # git itself may know more of such a name
            return True

    def _pushed(self, upstream: Upstream) -> bool:
        """Return True if a remote has all of it; the upstream can be a local branch too."""
        there = upstream.state == "present" and not upstream.ahead
        return there and f"refs/remotes/{upstream.name}" in self.repository.git.references

    def _path(self, metadata: Path) -> str:
        return str(Path(text_of(metadata / "gitdir")).parent)

    async def _works(
        self, folders: Iterable[Path], *, outlook: bool = True
    ) -> dict[Path, Work | None]:
        works = {}
        for folder in folders:
            works[folder] = self._work(folder, outlook=outlook)
            await asyncio.sleep(0)  # a git that has ended makes room for the next one
        return works

    def _work(self, metadata: Path, *, outlook: bool = True) -> Work | None:
        ref = ref_of(metadata)
        head = head_of(self.repository, metadata, ref)
        if head is None:
            return None
        record = self.record_of(metadata)
        base = record.base if record else None
        fresh = base is None and only_created(self.repository, metadata)
        if base == head and not self._unreachable.elsewhere(head, ref):
            base = None  # whoever else had what it began with has rewritten it since
        also = dict(self._also.get(str(metadata), ()))
        also |= self._unreachable.commits_of(metadata, head, ref)
        beside = tuple((name, commit) for name, commit in also.items() if commit != head)
        return Work(head, base, created_only=fresh, also=beside, outlook=outlook)


def _with_lines(status: WorktreeStatus, proof: Proof) -> WorktreeStatus:
    return msgspec.structs.replace(
        status,
        added=proof.added,
        removed=proof.removed,
        conflict=proof.conflict,
        files=proof.files,
    )


def _problem_of(look: GitStatus | None) -> Problem | None:
    if look is None:
        return "unreadable"
    return "submodules-unchecked" if look.unchecked else None


def _status(
    proof: Proof,
    changes: Changes | None,
    problem: Problem | None,
    state: State | None,
    *,
    held: bool,
) -> Literal["clean", "unclean", "merged"]:
    # During a rebase HEAD is not at the commits of the branch.
    if problem is not None or state is not None or changes is None or changes.any:
        return "unclean"
    if proof.verdict.kind in PROVEN:
        # Nothing is lost, but whoever reverted it may want it again.
        return "clean" if proof.verdict.reverted else "merged"
    # Other branches and stashes of its task are on no upstream.
    safe = proof.verdict.kind in _NOTHING_OWN or (held and not proof.lost)
    return "clean" if safe else "unclean"
