"""A hundred worktrees of a repository of 5,000 files: what the proof of merge costs.

Measured against a bare loop of two locked-down `git status` at a time over the same worktrees,
which is the least that any list of them costs.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ctui.git.process.command import run_git, status_arguments
from ctui.git.repository.repository import Repository, Target, open_repository
from ctui.worktrees.model import Proof, Verdict, Work, WorktreeRecord
from ctui.worktrees.proof.batches import Prove
from ctui.worktrees.proof.prover import Prover
from ctui.worktrees.proof.worker import ProofWorker
from ctui.worktrees.survey import Survey
from tests.bench.big_repository import BRANCHES, MERGED, SQUASHED, make_big_repository
from tests.bench.figures import ratio
from tests.conftest import git

_AT_ONCE = 2
_ROUNDS = 5
_TICK = 0.001


class Field(NamedTuple):
    """The repository, its worktrees' metadata and folders, and what is asked about them."""

    repository: Repository
    targets: tuple[Target, ...]
    worktrees: tuple[tuple[Path, Path], ...]
    works: tuple[Work, ...]
    records: Mapping[str, WorktreeRecord]


async def proofs() -> None:
    """All hundred proofs, cold and from the cache, and what the screen's loop feels of them."""
    with tempfile.TemporaryDirectory() as folder:
        field = make_field(Path(folder))
        cold: list[float] = []
        cached: list[float] = []
        statuses: list[float] = []
        listed: dict[str, list[float]] = {"without proof": [], "cold": [], "cached": []}
        await status_loop(field)
        for number in range(_ROUNDS):
            cache = Path(folder) / f"cache-{number}"
            statuses.append(await status_loop(field))
            cold.append(await _proven(field, cache))
            cached.append(await _proven(field, cache))
            listed["without proof"].append(await _listed(field, _nothing))
            listed["cold"].append(await _listed_by_worker(field, Path(folder) / f"list-{number}"))
            listed["cached"].append(await _listed_by_worker(field, Path(folder) / f"list-{number}"))
        for (name, took), wanted in zip(listed.items(), ("1.25", "2.5", "1.3"), strict=True):
            ratio(f"100 worktrees, {name} / statuses", f"<= {wanted}", took, statuses)
        ratio("100 proofs, cold / 100 statuses", "<= 1.2", cold, statuses)
        ratio("100 proofs, cached / 100 statuses", "<= 0.05", cached, statuses)
        await _stalls(field, Path(folder))


def make_field(folder: Path) -> Field:
    """The big repository with a worktree for each branch, their indexes refreshed."""
    big = make_big_repository(folder / "repository")
    repository = open_repository(big.path)
    names = [f"b{number}" for number in range(BRANCHES)]
    places = [folder / "worktrees" / name for name in names]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name, place in zip(names, places, strict=True):
            # One after the other: git reads the metadata of all worktrees to add one.
            git(big.path, "worktree", "add", "-q", "--no-checkout", str(place), name)
        list(pool.map(lambda place: git(place, "reset", "-q", "--hard"), places))
        # Until a second has passed git cannot trust the times of the files (racy-git(7)).
        time.sleep(1.1)
        list(pool.map(lambda place: git(place, "update-index", "-q", "--refresh"), places))
    metadata = [repository.common_dir / "worktrees" / name for name in names]
    works = tuple(Work(tip, base) for tip, base in zip(big.tips, big.bases, strict=True))
    worktrees = tuple(zip(metadata, places, strict=True))
    records = {
        str(folder): WorktreeRecord(
            name=place.name,
            path=str(place),
            repository=str(repository.common_dir),
            metadata=str(folder),
            device=place.stat().st_dev,
            inode=place.stat().st_ino,
            branch=place.name,
            base=work.base,
            created=0,
        )
        for (folder, place), work in zip(worktrees, works, strict=True)
    }
    return Field(repository, repository.targets(), worktrees, works, records)


async def status_loop(field: Field) -> float:
    """Seconds for one locked-down status of each worktree, two at a time."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(metadata: Path, place: Path) -> None:
        async with slots:
            # None is configured here; to ask which would be a second process for each.
            await run_git(status_arguments(), git_dir=metadata, work_tree=place, filters=True)

    begun = time.perf_counter()
    await asyncio.gather(*(one(*worktree) for worktree in field.worktrees))
    return time.perf_counter() - begun


async def _proven(field: Field, cache: Path) -> float:
    begun = time.perf_counter()
    prover = Prover(field.repository, field.targets, cache)
    found = await asyncio.to_thread(prover.prove, field.works)
    took = time.perf_counter() - begun
    _check(found)
    return took


async def _nothing(works: Sequence[Work]) -> list[Proof]:
    return [Proof(Verdict("unknown", "not asked"))] * len(works)


async def _listed(field: Field, prove: Prove) -> float:
    """Seconds for the whole list, everything but a process's start."""
    begun = time.perf_counter()
    found = await Survey(field.repository, prove, records=field.records).listed()
    took = time.perf_counter() - begun
    if len(found) != BRANCHES or any(status.problem for status in found):
        raise SystemExit("the survey is not complete")
    return took


async def _listed_by_worker(field: Field, cache: Path) -> float:
    worker = ProofWorker(cache)
    try:
        return await _listed(field, partial(worker.prove, field.repository, field.targets))
    finally:
        await worker.close()


def _check(found: list[Proof]) -> None:
    kinds = Counter(proof.verdict.kind for proof in found)
    merged = MERGED + SQUASHED
    if kinds != {"merged": merged, "unmerged": BRANCHES - merged}:
        raise SystemExit(f"wrong verdicts: {kinds}")


async def _stalls(field: Field, folder: Path) -> None:
    """How late a loop wakes up while its worker proves, and while nothing happens."""
    worker = ProofWorker(folder / "cache-worker")
    proving = asyncio.Event()
    ticker = asyncio.create_task(late(proving))
    begun = time.perf_counter()
    _check(await worker.prove(field.repository, field.targets, field.works))
    took = time.perf_counter() - begun
    proving.set()
    waits = await ticker
    await worker.close()
    idle = asyncio.Event()
    ticker = asyncio.create_task(late(idle))
    await asyncio.sleep(took)
    idle.set()
    rest = await ticker
    print(
        f"{'loop stall while proving, p99':<34} {p99(waits) * 1000:5.1f} ms (wanted <= 30)   "
        f"longest {max(waits) * 1000:.1f} ms; at rest {p99(rest) * 1000:.1f} and "
        f"{max(rest) * 1000:.1f} ms; {took * 1000:.0f} ms with the worker's start"
    )


async def late(until: asyncio.Event) -> list[float]:
    found: list[float] = []
    while not until.is_set():
        begun = time.perf_counter()
        await asyncio.sleep(_TICK)
        found.append(time.perf_counter() - begun - _TICK)
    return found


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
