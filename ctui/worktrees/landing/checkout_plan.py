"""Plans for moving a checkout's files from one commit to another without losing anything.

The rules are those of `git merge --ff-only`, except that ignored files are in the way as well.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Refused
from ctui.git.process.command import IGNORE_SUBMODULES, run_git
from ctui.git.repository.sparse import mark_left_out, outside, sparse_of
from ctui.worktrees.landing.checkouts import Checkout
from ctui.worktrees.landing.commit_diff import EntryChange, commit_diff, joined, named, split_paths
from ctui.worktrees.landing.file_writer import Signature, in_the_way, read_only, signatures
from ctui.worktrees.landing.filter_changes import settings_to_blank

_SECONDS = 600


class Plan(NamedTuple):
    """Plan with the paths to write or delete."""

    changes: Sequence[EntryChange]
    seen: Mapping[bytes, Signature | None]
    """State of each path when it was found unchanged, or None if nothing was there."""
    filters: bool
    """True if any of the person's own filters may write them."""
    stored: bool
    """True if none but Git LFS may."""
    blanked: Sequence[str]
    """Settings of the filters that may not."""


async def plan(
    checkout: Checkout, old: str, new: str, index: Path, *, filters: bool, stored: bool
) -> Plan:
    """Return the plan, if nothing of the person's is in its way.

    Args:
        checkout: its index must be locked.
        old: the commit that it is at.
        new: where it goes.
        index: a copy of its index, which may be refreshed.
        filters: files may be written by any of the person's filters, and not only by those that
            the new commit has for them.
        stored: files are written as the repository stores them, by no filter but Git LFS.

    Raises:
        Refused: a path that would change was changed, staged or hidden from git, or a file that
            git does not know is in the way; a merge or rebase is going on.
    """
    where = checkout.work_tree
    if checkout.unfinished:
        raise Refused(f"{checkout.unfinished} is going on in {where}", hint="finish or abort it")
    everything = await commit_diff(checkout.git_dir, old, new)
    paths = {change.path for change in everything}
    absent = await _refuse_hidden(checkout, everything, index)
    changes = await _in_checkout(checkout, everything, absent)
    staged = await run_git(
        ["diff-index", "--cached", "--name-only", "-z", "--no-renames", old],
        git_dir=checkout.git_dir,
        env={"GIT_INDEX_FILE": str(index)},
    )
    _refuse(where, "staged changes", [p for p in split_paths(staged.stdout) if p in paths])
    seen = await asyncio.to_thread(signatures, checkout.work_tree, changes)
    blanked = await _blanked(checkout, new, changes, filters=filters, stored=stored)
    touched = await _touched(checkout, index, blanked)
    _refuse(where, "uncommitted changes", [c.path for c in changes if c.old and c.path in touched])
    _refuse(where, "files in the way", await asyncio.to_thread(in_the_way, where, everything))
    if closed := await asyncio.to_thread(read_only, where, changes):
        raise Refused(f"{where} cannot be written: {named(closed)}", hint="mend its permissions")
    return Plan(changes, seen, filters, stored, blanked)


async def rest_of_plan(
    checkout: Checkout, old: str, new: str, *, filters: bool, stored: bool
) -> Plan:
    """Return the rest of an interrupted plan: the paths that are still as before.

    A path that is neither as before nor as after was changed by somebody meanwhile, and is
    kept.
    """
    changes = await commit_diff(checkout.git_dir, old, new)
    seen = await asyncio.to_thread(signatures, checkout.work_tree, changes)
    blanked = await _blanked(checkout, new, changes, filters=filters, stored=stored)
    copy = checkout.git_dir / "index.ctui-rest"
    try:
        shutil.copy2(checkout.git_dir / "index", copy)
        absent = {path for path, tag in (await _tags(checkout, copy)).items() if tag == b"S"}
        changes = await _in_checkout(checkout, changes, absent)
        touched = await _touched(checkout, copy, blanked)
    finally:
        copy.unlink(missing_ok=True)
    left = [c for c in changes if _is_left(c, seen[c.path], touched=c.path in touched)]
    return Plan(left, seen, filters, stored, blanked)


async def _blanked(
    checkout: Checkout, new: str, changes: Sequence[EntryChange], *, filters: bool, stored: bool
) -> list[str]:
    if filters:
        return []
    paths = [change.path for change in changes if change.new]
    return await settings_to_blank(checkout.git_dir, new, paths, stored=stored)


def _is_left(change: EntryChange, seen: Signature | None, *, touched: bool) -> bool:
    if change.old is None:
        return seen is None
    # Files that are deleted already may have left empty folders.
    return not touched or (change.new is None and seen is None)


async def read_new_index(checkout: Checkout, old: str, new: str, index: Path) -> None:
    """Make `index` that of `new`; what is staged elsewhere stays staged.

    In a sparse checkout it has no file for what the patterns leave out.
    """
    await run_git(
        ["read-tree", "-m", "-i", old, new],
        git_dir=checkout.git_dir,
        env={"GIT_INDEX_FILE": str(index)},
        timeout=_SECONDS,
    )
    if await sparse_of(checkout.git_dir) is None:
        return
    changes = await commit_diff(checkout.git_dir, old, new)
    added = [change.path for change in changes if change.old is None]
    await mark_left_out(checkout.git_dir, checkout.work_tree, index, added)


async def stage(checkout: Checkout, todo: Plan, index: Path, folder: Path) -> None:
    """Write every new file into an empty folder, as git would write it into the checkout."""
    paths = [change.path for change in todo.changes if change.new]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    if not paths:
        return
    # In an empty work tree, attributes come from the new index and not from the old files.
    await run_git(
        ["checkout-index", "--quiet", "-z", "--stdin"],
        git_dir=checkout.git_dir,
        work_tree=folder,
        env={"GIT_INDEX_FILE": str(index)},
        input=joined(paths),
        timeout=_SECONDS,
        blanked=todo.blanked,
    )


async def _in_checkout(
    checkout: Checkout, changes: Sequence[EntryChange], absent: set[bytes]
) -> list[EntryChange]:
    """Return the changes whose files a sparse checkout has; of any other checkout all of them.

    Args:
        checkout: it may be sparse.
        changes: between two commits.
        absent: what its index leaves out, and has no file.
    """
    added = [change.path for change in changes if change.old is None]
    sparse = bool(added) and await sparse_of(checkout.git_dir) is not None
    left_out = absent | (await outside(checkout.git_dir, added) if sparse else set())
    return [change for change in changes if change.path not in left_out]


async def _tags(checkout: Checkout, index: Path) -> dict[bytes, bytes]:
    """Return the letter of each path in an index (git-ls-files(1), `-v`)."""
    listed = await run_git(
        ["ls-files", "-v", "-z"], git_dir=checkout.git_dir, env={"GIT_INDEX_FILE": str(index)}
    )
    return {field[2:]: field[:1] for field in split_paths(listed.stdout)}


async def _refuse_hidden(
    checkout: Checkout, changes: Sequence[EntryChange], index: Path
) -> set[bytes]:
    """Refuse paths whose edits git does not see, because it was told to ignore them.

    Returns:
        the changed paths that a sparse checkout leaves out: they have no file.
    """
    paths = {change.path for change in changes}
    tags = await _tags(checkout, index)
    where = checkout.work_tree
    _refuse(where, "unresolved conflicts", [path for path, tag in tags.items() if tag in b"Mm"])
    hidden = {path for path in paths if tags.get(path, b"H") != b"H"}
    absent: set[bytes] = set()
    if hidden and await sparse_of(checkout.git_dir) is not None:
        root = os.fsencode(where)
        absent = {
            path
            for path in hidden
            if tags[path] == b"S" and not os.path.lexists(root + b"/" + path)
        }
    _refuse(
        where,
        "changes hidden from git (assume-unchanged, skip-worktree)",
        sorted(hidden - absent),
    )
    return absent


async def _touched(checkout: Checkout, index: Path, blanked: Sequence[str]) -> set[bytes]:
    """Return the paths whose files differ from this index, which is refreshed on the way.

    In a linked worktree no filter reads them: a task wrote them.
    """
    own = blanked if not (checkout.git_dir / "commondir").exists() else None
    environment = {"GIT_INDEX_FILE": str(index)}
    await run_git(
        ["update-index", "-q", "--refresh"],
        git_dir=checkout.git_dir,
        work_tree=checkout.work_tree,
        env=environment,
        check=False,
        timeout=_SECONDS,
        blanked=own,
    )
    output = await run_git(
        ["diff-files", "--name-only", "-z", "--no-ext-diff", IGNORE_SUBMODULES],
        git_dir=checkout.git_dir,
        work_tree=checkout.work_tree,
        env=environment,
        timeout=_SECONDS,
        blanked=own,
    )
    return set(split_paths(output.stdout))


def _refuse(where: Path, what: str, paths: Sequence[bytes]) -> None:
    if paths:
        raise Refused(
            f"there are {what} in {where}: {named(paths)}", hint="commit, stash or move them first"
        )
