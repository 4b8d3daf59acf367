"""A snapshot of a worktree: what changed since the last one is read, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ctui.errors import Conflict, Unavailable
from ctui.file_lock import FileLock
from ctui.worktrees.snapshots import index
from ctui.worktrees.snapshots.changes import Places, find_places, remember_head
from ctui.worktrees.snapshots.contents import Folders, NotKept
from ctui.worktrees.snapshots.model import Facts, LeftOut, Snapshot, shown
from ctui.worktrees.snapshots.repository import LAST, SnapshotRepository
from ctui.worktrees.snapshots.writing import Entry, blob, blob_id, commit

FILE_LIMIT = 32 << 20
"""Bytes of a file; a larger one is left out, and said."""
FILES_LIMIT = 50_000
"""Files that one snapshot reads; those beyond are left out, and said."""
_NAMED = 1000
"""Names that a snapshot's message has of each kind."""
_PORTION = 32 << 20
"""Bytes of content that are in memory at a time, beside one file."""
_WAIT_SECONDS = 120.0
_NEXT = "refs/next"


async def take(snapshots: SnapshotRepository, ref: str) -> Snapshot:
    """Keep the files of a worktree as they are, and let a ref name that.

    One that is like the last one is the last one.

    Args:
        snapshots: of the worktree.
        ref: its name, below `refs/`.

    Raises:
        Conflict: another process takes one for minutes.
        CtuiError: the worktree cannot be read, or the folder of snapshots not be written.
    """
    try:
        snapshots.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(snapshots.folder / "lock")
        if not await lock.wait(_WAIT_SECONDS):
            raise Conflict(f"another process takes a snapshot of {snapshots.worktree}")
        with lock:
            last = await index.make_ready(snapshots)
            places = await find_places(snapshots)
            new = await _write(snapshots, last, places)
            remember_head(snapshots, places.head)
            await snapshots.set_ref(ref, new.id)
            return new
    except OSError as error:
        raise Unavailable(
            f"no snapshot of {snapshots.worktree} can be taken: {error.strerror}"
        ) from error


@dataclass
class _Portion:
    """Some of the files that may have changed, as they are."""

    blobs: list[bytes] = field(default_factory=list)
    """Commands that store their content."""
    size: int = 0
    gone: list[bytes] = field(default_factory=list)
    there: list[Entry] = field(default_factory=list)
    left_out: dict[bytes, str] = field(default_factory=dict)


async def _write(snapshots: SnapshotRepository, last: Snapshot | None, places: Places) -> Snapshot:
    gone, there, left_out = set(places.ignored), list[Entry](), dict(places.left_out)
    portions = _read(snapshots.worktree, sorted(places.paths))
    while (portion := await asyncio.to_thread(next, portions, None)) is not None:
        gone.update(portion.gone)
        there += portion.there
        left_out |= portion.left_out
        await _import(snapshots, b"".join(portion.blobs))
    facts = _facts(places.empty_folders, left_out)
    if last is not None and not gone and not there and _same(facts, last):
        return last
    base = last.tree if last is not None else await index.tree(snapshots)
    await _import(snapshots, commit(_NEXT, facts, base, sorted(gone), there))
    new = await snapshots.snapshot(_NEXT)
    snapshots.delete_refs([_NEXT])
    if last is not None and new.tree == last.tree and _same(facts, last):
        new = last
    await snapshots.set_ref(LAST, new.id)
    await index.follow(snapshots, new)
    return new


async def _import(snapshots: SnapshotRepository, stream: bytes) -> None:
    if stream:
        await snapshots.git("fast-import", "--quiet", "--force", given=stream)


def _read(worktree: Path, paths: Sequence[bytes]) -> Iterator[_Portion]:
    """Read files in portions that fit into memory."""
    portion = _Portion(left_out=dict.fromkeys(paths[FILES_LIMIT:], "there are too many files"))
    with Folders(worktree) as folders:
        for path in paths[:FILES_LIMIT]:
            found = folders.read(path, FILE_LIMIT)
            if found is None or isinstance(found, NotKept):
                portion.gone.append(path)
                if found is not None:
                    portion.left_out[path] = found.why
                continue
            portion.there.append(Entry(path, found.mode, blob_id(found.data)))
            portion.blobs.append(blob(found.data))
            portion.size += len(found.data)
            if portion.size > _PORTION:
                yield portion
                portion = _Portion()
    yield portion


def _facts(empty_folders: set[bytes], left_out: dict[bytes, str]) -> Facts:
    return Facts(
        at=time.time_ns(),
        empty_folders=tuple(sorted(map(shown, empty_folders))[:_NAMED]),
        left_out=tuple(LeftOut(shown(path), left_out[path]) for path in sorted(left_out)[:_NAMED]),
        left_out_count=len(left_out),
    )


def _same(facts: Facts, last: Snapshot) -> bool:
    """Return True if a snapshot says the same beside its tree."""
    return (facts.empty_folders, facts.left_out, facts.left_out_count) == (
        last.empty_folders,
        last.left_out,
        last.left_out_count,
    )
