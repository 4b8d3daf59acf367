"""Observer of worktrees: it looks once, watches, and looks again where it matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from ctui.client.worktrees.survey import open_survey
from ctui.client.worktrees.worktrees import open_store
from ctui.errors import CtuiError, NotFound
from ctui.git.repository.repository import Repository, open_repository
from ctui.git.repository.target import short_ref
from ctui.paths import Paths
from ctui.tasks.store import Store
from ctui.worktrees.fresh_index import is_fresh, refresh_index
from ctui.worktrees.git_status import GitStatus
from ctui.worktrees.landing.unfinished import complete_unfinished
from ctui.worktrees.model import WorktreeStatus
from ctui.worktrees.proof.worker import ProofWorker
from ctui.worktrees.survey import Survey
from ctui.worktrees.watch import WorktreeWatch

_LEAST_PAUSE = 30.0
_SHARE = 200.0
"""Durations of a slow look that pass before the next one: half a percent of a core."""

_SETTLED = 60.0
"""Seconds after which nobody waits for a first look any more."""

_VERDICT_PAUSE = 1.0
"""Seconds between two rounds of proofs, however often refs move."""


class Observation(NamedTuple):
    """News of the worktrees."""

    statuses: Sequence[WorktreeStatus]
    complete: bool
    """True if these are all worktrees that there are."""
    distance: tuple[int, int] | None
    """Commits that the checkout's branch is ahead of its upstream, and behind it."""
    target: str = ""
    """Name of the branch that they are judged against, safe to show."""


class Observer:
    """Observer of one repository, in the loop that `run` runs in."""

    def __init__(self, paths: Paths, git_dir: Path, told: Callable[[Observation], None]) -> None:
        """Begin with nothing looked at.

        Args:
            paths: whose records and tasks.
            git_dir: of the repository.
            told: gets what was seen, as it is seen; it must return at once.
        """
        self._paths = paths
        self._git_dir = git_dir
        self._told = told
        self._watch = WorktreeWatch(git_dir, self._changed)
        self._looks: dict[Path, GitStatus] = {}
        self._known: dict[str, Path] = {}
        self._visible: list[str] = []
        self._dirty: set[Path] = set()
        self._look_at_all = True
        self._refs_moved = False
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Observe until cancelled."""
        prover = ProofWorker(self._paths.cache)
        try:
            with open_store(self._paths) as store:
                with suppress(CtuiError):  # the first round says what is wrong
                    await complete_unfinished(open_repository(self._git_dir))
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch.run())
                    group.create_task(self._rounds(store, prover))
                    group.create_task(self._empty_trash())
        finally:
            await prover.close()

    def look(self, path: str = "") -> None:
        """Look as soon as possible: something changed in this worktree, or somewhere."""
        if path in self._known:
            self._dirty.add(self._known[path])
        else:
            self._look_at_all = True
        self._wake.set()

    def attend(self, focused: Sequence[str], visible: Sequence[str]) -> None:
        """Watch the focused worktrees closely, and look first at the visible ones: both by path."""
        self._visible = list(visible)
        known = self._known
        self._watch.focus({known[path]: Path(path) for path in focused if path in known})

    def _changed(self, metadata: Path | None) -> None:
        if metadata is None:
            self._refs_moved = True
        else:
            self._dirty.add(metadata)
        self._wake.set()

    async def _empty_trash(self) -> None:
        """Delete for good what has been in the trash for long, once the screen has settled."""
        from ctui.config import load_config
        from ctui.worktrees.trash.purge import purge

        await asyncio.sleep(_SETTLED)
        with suppress(CtuiError):  # somebody else does it, or will
            limits = load_config(self._paths).worktrees
            if limits.trash_days or limits.trash_gib:
                await purge(
                    open_repository(self._git_dir),
                    older_than=limits.trash_days * 86_400 if limits.trash_days else None,
                    keep_bytes=int(limits.trash_gib * 2**30) if limits.trash_gib else None,
                )

    # -- rounds

    async def _rounds(self, store: Store, prover: ProofWorker) -> None:
        slow_look = 0.0
        while True:
            began, complete = monotonic(), self._look_at_all
            with suppress(CtuiError):  # the repository may be away for a while
                await self._round(store, prover)
            now = monotonic()
            if complete or now >= slow_look:
                slow_look = now + max(_LEAST_PAUSE, (now - began) * _SHARE)
            try:
                await asyncio.wait_for(self._wake.wait(), max(0.0, slow_look - now))
            except TimeoutError:
                # What no watch sees is found here, where somebody would see it.
                self._dirty.update(self._known[p] for p in self._visible if p in self._known)

    async def _round(self, store: Store, prover: ProofWorker) -> None:
        self._wake.clear()
        dirty, self._dirty = self._dirty, set()
        everything, self._look_at_all = self._look_at_all, False
        moved, self._refs_moved = self._refs_moved, False
        repository = open_repository(self._git_dir)
        survey = open_survey(self._paths, store, repository, prover, looks=self._looks)
        gone = [metadata for metadata in dirty if not metadata.is_dir()]
        new = [folder for folder in survey.folders if folder not in self._known.values()]
        if everything or gone or new:
            await self._all(store, survey, again=everything)
            dirty -= {*gone, *new}
        for metadata in dirty:
            with suppress(NotFound):
                self._tell([await survey.one(metadata)], repository)
        if moved and not everything:
            await self._all(store, survey, again=False)
            await asyncio.sleep(_VERDICT_PAUSE)

    async def _all(self, store: Store, survey: Survey, *, again: bool) -> None:
        found: list[WorktreeStatus] = []
        at_work = {task.worktree for task in store.tasks.list() if task.works}
        async for status in survey.all(self._visible, again=again):
            found.append(status)
            self._tell([status], survey.repository)
        self._known = {status.path: Path(status.metadata) for status in found}
        self._tell(found, survey.repository, complete=True)
        for status in found:
            record = survey.record_of(Path(status.metadata))
            # Where a task works, its commits bring the index with them.
            if record is not None and is_fresh(record) and record.path not in at_work:
                await refresh_index(record)

    def _tell(
        self,
        statuses: Sequence[WorktreeStatus],
        repository: Repository,
        *,
        complete: bool = False,
    ) -> None:
        distance, target = None, ""
        if complete:
            distance = repository.upstream_distance()
            target = short_ref(repository.target().ref)
        self._told(Observation(statuses, complete, distance, target))
