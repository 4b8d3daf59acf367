"""Index of the snapshots, by which git finds what changed: how each file was when it was read."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ctui.errors import CtuiError
from ctui.worktrees.hidden_changes import is_plain
from ctui.worktrees.snapshots import recent
from ctui.worktrees.snapshots.model import Snapshot
from ctui.worktrees.snapshots.repository import INDEXED, LAST, SnapshotRepository

_ALONE = ("--no-split-index", "--no-untracked-cache", "--no-fsmonitor", "--force-write-index")
"""One file that depends on no other, and on no daemon."""

_ATTRIBUTES = ":(glob)**/.gitattributes"


async def make_ready(snapshots: SnapshotRepository) -> Snapshot | None:
    """Have an index of the last snapshot, and return that; the first begins with what HEAD has.

    Raises:
        CtuiError: git failed.
    """
    is_new = await asyncio.to_thread(snapshots.prepare)
    last = snapshots.ref(LAST)
    if last is None:
        if is_new or not snapshots.index.exists():
            await _begin(snapshots)
        return None
    found = await snapshots.snapshot(last)
    if last != snapshots.ref(INDEXED):
        await follow(snapshots, found)
    return found


async def follow(snapshots: SnapshotRepository, snapshot: Snapshot) -> None:
    """Let the index be that of a snapshot that was just taken.

    Raises:
        CtuiError: git failed.
    """
    began = int(time.time())
    await snapshots.git("read-tree", "--reset", snapshot.tree, files=True)
    await _refresh(snapshots)
    listed = await snapshots.git("ls-files", "--debug", "-z")
    await asyncio.to_thread(recent.remember, snapshots.folder, listed.stdout, began)
    await snapshots.set_ref(INDEXED, snapshot.id)


async def forget(snapshots: SnapshotRepository, paths: Iterable[bytes]) -> None:
    """Let the index not have these files, until it follows the next snapshot.

    Raises:
        CtuiError: git failed.
    """
    snapshots.delete_refs([INDEXED])
    given = b"".join(path + b"\0" for path in paths)
    await snapshots.git(
        *("update-index", "--force-remove", "-z", "--stdin"), files=True, given=given
    )


async def tree(snapshots: SnapshotRepository) -> str:
    """Return the tree that the index has.

    Raises:
        CtuiError: git failed.
    """
    said = await snapshots.git("write-tree", "--missing-ok")
    return said.stdout.decode("ascii", "replace").strip()


async def _begin(snapshots: SnapshotRepository) -> None:
    head = await _head_tree(snapshots)
    if head and await _take_checkout(snapshots) and not await _may_be_transformed(snapshots):
        await snapshots.git("read-tree", "--reset", head, files=True)
        return
    await snapshots.git("read-tree", "--empty")
    if head:
        await snapshots.git("read-tree", "--reset", head, files=True)
        await _refresh(snapshots)


async def _refresh(snapshots: SnapshotRepository) -> None:
    """Compare each file that the index does not know the times of; those that differ stay so."""
    await snapshots.git("update-index", "-q", "--refresh", files=True, check=False)


async def _head_tree(snapshots: SnapshotRepository) -> str:
    with suppress(CtuiError):
        said = await snapshots.git_there("rev-parse", "--verify", "--quiet", "HEAD^{tree}")
        return said.stdout.decode("ascii", "replace").strip()
    return ""


async def _take_checkout(snapshots: SnapshotRepository) -> bool:
    """Copy the index of the checkout; return False where it is of no use here."""
    source = snapshots.metadata / "index"
    try:
        index = await asyncio.to_thread(source.read_bytes)
        await asyncio.to_thread(shutil.copyfile, source, snapshots.index)
        if not is_plain(index):
            await snapshots.git_there("update-index", *_ALONE, files=True)
            await _look_at_all(snapshots)
    except (OSError, CtuiError):
        snapshots.index.unlink(missing_ok=True)
        return False
    return True


async def _look_at_all(snapshots: SnapshotRepository) -> None:
    """Take back that git was told not to look at some files (`--assume-unchanged`)."""
    said = await snapshots.git("ls-files", "-v", "-z")
    hidden = [line[2:] for line in said.stdout.split(b"\0") if line[:1].islower()]
    if hidden:
        given = b"".join(path + b"\0" for path in hidden)
        await snapshots.git(
            *("update-index", "--no-assume-unchanged", "-z", "--stdin"), files=True, given=given
        )


async def _may_be_transformed(snapshots: SnapshotRepository) -> bool:
    """Return True if files may differ from what is stored of them as they were checked out."""
    for key in ("core.autocrlf", "core.attributesFile"):
        with suppress(CtuiError):
            said = await snapshots.git_there("config", "--get", key)
            if said.stdout.strip() not in {b"", b"false"}:
                return True
    own = snapshots.repository.common_dir / "info" / "attributes"
    said = await snapshots.git("ls-files", "-z", "--", _ATTRIBUTES)
    return bool(said.stdout) or own.exists() or _has_attributes(Path.home())


def _has_attributes(home: Path) -> bool:
    """Return True if the person or the machine has attributes of their own (gitattributes(5))."""
    return any(
        path.exists() for path in (home / ".config/git/attributes", Path("/etc/gitattributes"))
    )
