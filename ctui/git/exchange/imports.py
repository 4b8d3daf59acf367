"""Import of a task's work: its refs to `refs/ctui/<task>/…`, and its branch forward.

    hostile directory -> (refs read, objects copied) -> staging, ours -> one `git fetch` with fsck

A `kill -9` at any point leaves the old state, or one that the next import completes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import CtuiError
from ctui.git.exchange import harvest, ref_by_ref
from ctui.git.exchange.advance import BranchOutcome, advance_branch, finish_advance
from ctui.git.exchange.gitlinks import gitlink_changes, told
from ctui.git.private.private import PrivateRepository
from ctui.git.process.command import run_git
from ctui.git.repository.shallow import copy_shallow
from ctui.git.stored.lfs_objects import pointers_in, store_of, take_over
from ctui.git.stored.stored import refuse_untransformed

_FETCH_SECONDS = 300
_TIPS_LOOKED_AT = 50


class ImportedRef(NamedTuple):
    """Ref that an import left in the repository."""

    name: str
    commit: str


class ImportResult(NamedTuple):
    """Result of an import."""

    refs: tuple[ImportedRef, ...] = ()
    branch: BranchOutcome = "unchanged"
    reason: str = ""
    """Sentence for the person, or "" where the outcome needs none."""
    gitlinks: tuple[str, ...] = ()
    """Paths of nested repositories that the task's branch added."""
    problem: str = ""


async def import_work(
    private: PrivateRepository, task: str, branch: str | None, base: str | None
) -> ImportResult:
    """Import everything that the task made since the last import.

    Whatever is wrong with the task's directory comes back as `problem`; nothing is raised for it.

    Args:
        private: the task's git directory.
        task: the task's id, part of the refs' names.
        branch: the worktree's branch; None where HEAD was detached.
        base: the commit the task began with.
    """
    try:
        await finish_advance(private)
        offered = await asyncio.to_thread(harvest.offered_refs, private)
        own = f"heads/{branch}"
        refs, held = (
            await _bring_objects(private, offered, task, own, base) if offered else ({}, {})
        )
        problem = ref_by_ref.told(held)
        imported = tuple(
            ImportedRef(f"refs/ctui/{task}/{name}", refs[name]) for name in sorted(refs)
        )
        tip = refs.get(f"heads/{branch}") if branch else None
        gitlinks = await _new_gitlinks(private, base, refs.values()) if base else ()
        if private.metadata is None:
            reason = "your own branch is never moved"
            return ImportResult(imported, "untouched", reason, gitlinks, problem)
        if branch is None or tip is None:
            return ImportResult(imported, gitlinks=gitlinks, problem=problem)
        outcome, reason = await advance_branch(private, branch, base or tip, tip)
        if outcome == "advanced" and base:
            changes = await gitlink_changes(private.repository.common_dir, base, tip)
            reason = "; ".join(filter(None, (reason, told(changes))))
        return ImportResult(imported, outcome, reason, gitlinks, problem)
    except CtuiError as error:
        return ImportResult(problem=f"the task's commits cannot be imported: {error.message}")
    except OSError as error:
        return ImportResult(problem=f"the task's commits cannot be imported: {error.strerror}")


async def _bring_objects(
    private: PrivateRepository, offered: dict[str, str], task: str, own: str, base: str | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Fetch the refs that are complete and allowed.

    Returns:
        those refs, and why each of the others was held back.
    """
    staging = await asyncio.to_thread(_stage, private)
    asked = "".join(f"{commit}\n" for commit in offered.values()).encode()
    checked = await run_git(["cat-file", "--batch-check"], git_dir=staging, input=asked)
    there = {line.split()[0] for line in checked.stdout.decode().splitlines() if "commit" in line}
    refs = {name: commit for name, commit in offered.items() if commit in there}

    async def fetch(some: Mapping[str, str]) -> None:
        common_dir, allowed = private.repository.common_dir, private.filters.names()
        blobs = await refuse_untransformed(staging, common_dir, some.values(), base, allowed)
        await _bring_lfs_objects(private, staging, blobs)
        lines = [f"{some[name]} refs/import/{name}\n" for name in sorted(some)]
        (staging / "packed-refs").write_text("# pack-refs with: sorted \n" + "".join(lines))
        await _fetch(private, staging, task)

    held = dict.fromkeys(set(offered) - set(refs), "its commit is not there")
    complete = False
    try:
        if refs:
            await _make_way(private, task, refs)
            held |= await ref_by_ref.fetch_each(refs, fetch, first=own)
        complete = not held
    finally:
        if not complete:
            # Without this, a damaged copy would keep a complete one from being fetched.
            await asyncio.to_thread(shutil.rmtree, staging)
    return {name: commit for name, commit in refs.items() if name not in held}, held


async def _bring_lfs_objects(
    private: PrivateRepository, staging: Path, blobs: Mapping[bytes, bytes]
) -> None:
    """Take over the files of Git LFS that new blobs point to, before anything names them."""
    if not private.filters.uses_lfs():
        return
    new = await pointers_in(staging, blobs)
    known = await pointers_in(private.repository.common_dir, new)
    wanted = {pointer: blobs[oid] for oid, pointer in new.items() if oid not in known}
    store = await store_of(private.repository.common_dir)
    await asyncio.to_thread(take_over, private.git_dir, store, wanted)


def _stage(private: PrivateRepository) -> Path:
    """Make a bare repository with the task's new objects and nothing else of the task."""
    staging = private.folder / "staging.git"
    for name in ("objects/info", "objects/pack", "refs"):
        (staging / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    directories = private.repository.object_directories()
    alternates = "".join(f"{path}\n" for path in directories)
    (staging / "objects/info/alternates").write_bytes(os.fsencode(alternates))
    (staging / "HEAD").write_text("ref: refs/heads/none\n")
    (staging / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    copy_shallow(private.repository.common_dir, staging)
    harvest.copy_objects(private, staging)
    return staging


async def _make_way(private: PrivateRepository, task: str, refs: Mapping[str, str]) -> None:
    """Put aside refs that the task no longer has and that block the name of a new one.

    git cannot have `side` and `side/more` at once: a task that renames one to the other would end
    its imports. What is put aside stays, as `refs/ctui/<task>/gone/<commit>`.
    """
    prefix = f"refs/ctui/{task}/"
    listed = await run_git(
        ["for-each-ref", "--format=%(objectname) %(refname)", prefix],
        git_dir=private.repository.common_dir,
    )
    moves: list[str] = []
    for line in listed.stdout.decode("utf-8", "surrogateescape").splitlines():
        commit, ref = line.split(" ", 1)
        name = ref.removeprefix(prefix)
        if name not in refs and any(_in_the_way(name, new) for new in refs):
            moves += [f"update {prefix}gone/{commit} {commit}", f"delete {ref} {commit}"]
    if moves:
        commands = "".join(f"{move}\n" for move in moves)
        await run_git(
            ["update-ref", "--stdin"],
            git_dir=private.repository.common_dir,
            input=commands.encode("utf-8", "surrogateescape"),
        )


def _in_the_way(old: str, new: str) -> bool:
    return old.startswith(f"{new}/") or new.startswith(f"{old}/")


async def _fetch(private: PrivateRepository, staging: Path, task: str) -> None:
    await run_git(
        [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-show-forced-updates",
            str(staging),
            f"+refs/import/*:refs/ctui/{task}/*",
        ],
        git_dir=private.repository.common_dir,
        timeout=_FETCH_SECONDS,
        # fsck: names such as `.GIT` in a tree would only be found when somebody checks it out.
        # The reflog keeps what a later import replaces, also for refs outside refs/heads.
        config={
            "fetch.fsckObjects": "true",
            "protocol.file.allow": "always",
            "core.logAllRefUpdates": "always",
        },
    )


async def _new_gitlinks(
    private: PrivateRepository, base: str, tips: Iterable[str]
) -> tuple[str, ...]:
    found: set[str] = set()
    for tip in list(dict.fromkeys(tips))[:_TIPS_LOOKED_AT]:
        changes = await gitlink_changes(private.repository.common_dir, base, tip)
        found |= {change.path for change in changes if change.old is None}
    return tuple(sorted(found))
