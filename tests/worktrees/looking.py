"""Looking at worktrees and removing them, as a front end does it, without a store."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctui.git.repository.repository import Repository
from ctui.worktrees.model import Proof, Verdict, Work, WorktreeRecord, WorktreeStatus
from ctui.worktrees.proof.batches import Prove
from ctui.worktrees.proof.prover import Prover
from ctui.worktrees.survey import Survey
from ctui.worktrees.trash.entries import TrashEntry
from ctui.worktrees.trash.removal import remove_worktree as remove


def survey_of(
    repository: Repository,
    records: Mapping[str, WorktreeRecord] | None = None,
    *,
    prove: Prove | None = None,
) -> Survey:
    """A survey that proves in a thread."""

    async def in_a_thread(works: Sequence[Work]) -> list[Proof]:
        with tempfile.TemporaryDirectory() as cache:
            prover = Prover(repository, repository.targets(), Path(cache))
            return await asyncio.to_thread(prover.prove, works)

    return Survey(repository, prove or in_a_thread, records=records)


async def nothing_proven(works: Sequence[Work]) -> list[Proof]:
    """For removals by force, which do not depend on it."""
    return [Proof(Verdict("unknown", "nobody asked"))] * len(works)


async def list_worktrees(
    repository: Repository, records: Mapping[str, WorktreeRecord]
) -> list[WorktreeStatus]:
    return await survey_of(repository, records).listed()


async def worktree_status(
    repository: Repository, record: WorktreeRecord, *, prove: Prove | None = None
) -> WorktreeStatus:
    records = {record.metadata: record}
    return await survey_of(repository, records, prove=prove).one(Path(record.metadata))


async def remove_worktree(
    repository: Repository,
    status: WorktreeStatus,
    record: WorktreeRecord | None,
    *,
    prove: Prove | None = None,
    **how: Any,
) -> TrashEntry:
    records = {record.metadata: record} if record else {}
    return await remove(survey_of(repository, records, prove=prove), status, **how)
