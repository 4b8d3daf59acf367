"""Proofs of many works, requested in batches by somebody who meanwhile does something else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from ctui.errors import CtuiError
from ctui.worktrees.model import Proof, Verdict, Work

_NO_HEAD = Proof(Verdict("unknown", "its HEAD cannot be read"))

Prove = Callable[[Sequence[Work]], Awaitable[list[Proof]]]
"""Function that returns proofs for works, in their order; see `prover`."""


class ProofBatches:
    """Proofs of one survey, requested in batches while git reads files."""

    def __init__(self, prove: Prove, works: Mapping[Path, Work | None], *, first: int = 0) -> None:
        """Ask for all of them.

        Args:
            prove: see `Survey`.
            works: by metadata folder; None where there is nothing to be proven.
            first: number of those in the first batch; 0 for all in one.
        """
        self._prove = prove
        loop = asyncio.get_running_loop()
        self.of: dict[Path, asyncio.Future[Proof]] = {}
        asked: list[tuple[asyncio.Future[Proof], Work]] = []
        for folder, work in works.items():
            self.of[folder] = loop.create_future()
            if work is None:
                self.of[folder].set_result(_NO_HEAD)
            else:
                asked.append((self.of[folder], work))
        self.jobs: list[asyncio.Task[None]] = []
        size = first or len(asked)
        while asked:
            self.jobs.append(asyncio.create_task(self._ask(asked[:size])))
            asked, size = asked[size:], 2 * size

    async def one(self, work: Work) -> Proof:
        """Request one more proof outside the batches."""
        return (await self._answer([work]))[0]

    async def _ask(self, asked: Sequence[tuple[asyncio.Future[Proof], Work]]) -> None:
        try:
            proofs = await self._answer([work for _, work in asked])
        except Exception as error:  # whoever waits must not wait for ever
            for future, _ in asked:
                future.set_exception(error)
            raise
        for (future, _), proof in zip(asked, proofs, strict=True):
            future.set_result(proof)

    async def _answer(self, works: Sequence[Work]) -> list[Proof]:
        try:
            return await self._prove(works)
        except CtuiError as error:
            return [Proof(Verdict("unknown", error.message))] * len(works)
