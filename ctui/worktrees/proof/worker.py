"""Proofs for an event loop, made by one process that lives as long as its parent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui.errors import ExternalFailure, Unavailable
from ctui.git.repository.repository import Repository, Target
from ctui.reaping import reap
from ctui.worktrees.model import Proof, Verdict, Work
from ctui.worktrees.proof.known import KnownProofs
from ctui.worktrees.proof.process import ProofAnswer, ProofQuestion

_LINE_BYTES = 64 << 20
_CHUNK = 1 << 16
_CRASHED = Proof(Verdict("unknown", "its commits cannot be read: they crash the proof"))


class ProofWorker:
    """Prover in another process, started by the first question and again after it was killed.

    Questions are answered one after the other. It ends when this object's process does.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._asked = 0
        self._closed = False

    async def prove(
        self, repository: Repository, targets: Sequence[Target], works: Sequence[Work]
    ) -> list[Proof]:
        """Prove as `Prover.prove` does; the cancellation of a caller does not stop the worker.

        What is kept needs no process. A question that kills the process twice is asked once more
        in halves, down to each work alone, so that one hostile branch does not hide the others.

        Raises:
            Unavailable: the process cannot be started.
            ExternalFailure: the proof cannot be made at all, for example without a cache folder.
        """
        known = await asyncio.to_thread(KnownProofs(repository, targets, self._cache).of, works)
        asked = [work for work, proof in zip(works, known, strict=True) if proof is None]
        proven = iter(await self._prove(repository, targets, asked) if asked else ())
        return [proof if proof is not None else next(proven) for proof in known]

    async def close(self) -> None:
        """End the process, even in the middle of a question; no more can be asked."""
        self._closed = True
        if self._starting is not None:
            with suppress(Unavailable):
                self._process = await self._starting
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await _end(process)

    async def _prove(
        self, repository: Repository, targets: Sequence[Target], works: Sequence[Work]
    ) -> list[Proof]:
        async with self._turn:
            for _ in range(2):
                with suppress(_DiedError):
                    return await self._ask(repository, targets, works)
            return await self._divided(repository, targets, works)

    async def _divided(
        self, repository: Repository, targets: Sequence[Target], works: Sequence[Work]
    ) -> list[Proof]:
        """Ask about each half, and divide that again if the process dies of it."""
        middle = (len(works) + 1) // 2
        found: list[Proof] = []
        for part in filter(None, (works[:middle], works[middle:])):
            try:
                found += await self._ask(repository, targets, part)
            except _DiedError:
                alone = len(part) == 1
                found += [_CRASHED] if alone else await self._divided(repository, targets, part)
        return found

    async def _ask(
        self, repository: Repository, targets: Sequence[Target], works: Sequence[Work]
    ) -> list[Proof]:
        process = await self._running()
        self._asked += 1
        question = ProofQuestion(
            self._asked,
            str(repository.common_dir),
            tuple(targets),
            str(self._cache),
            tuple(works),
        )
        answer = await _exchange(process, question)
        if answer.error:
            raise ExternalFailure(answer.error, hint=answer.hint)
        return list(answer.proofs)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise Unavailable("the proof's process was ended")
        if self._process is None or self._process.returncode is not None:
            self._process = None
            if self._starting is None:
                self._starting = asyncio.create_task(_start())
            # If this caller is cancelled, the next one uses the process.
            starting = self._starting
            try:
                self._process = await asyncio.shield(starting)
            finally:
                if starting.done():
                    self._starting = None
        return self._process


async def _start() -> asyncio.subprocess.Process:
    try:
        # -P: the current folder may hold a module of any name. A session of its
        # own: the terminal's Ctrl-C must only reach the screen.
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "ctui.worktrees.proof.process"),
            cwd="/",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            limit=_LINE_BYTES,
        )
    except OSError as error:
        raise Unavailable(f"the proof's process does not start: {error.strerror}") from error


class _DiedError(Exception):
    """End of the process without an answer."""


async def _exchange(process: asyncio.subprocess.Process, question: ProofQuestion) -> ProofAnswer:
    assert process.stdin is not None  # noqa: S101 - both were asked for as pipes
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(msgspec.json.encode(question) + b"\n")
        await process.stdin.drain()
        while line := await process.stdout.readline():
            answer = msgspec.json.decode(line, type=ProofAnswer)
            # Skip answers to callers that were cancelled.
            if answer.id == question.id:
                return answer
    except (ConnectionError, ValueError):
        with suppress(ProcessLookupError):
            process.kill()
    await _end(process)
    raise _DiedError


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    await reap(process)
    while process.stdout is not None and await process.stdout.read(_CHUNK):
        pass  # an open pipe would outlive its loop
