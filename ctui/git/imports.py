"""Bringing a task's work home: its refs to `refs/ctui/<task>/…`, its branch forward.

    hostile directory -> (refs read, objects copied) -> staging, ours -> one `git fetch` with fsck

The worktree's branch is moved only forward, by compare-and-swap, and only if nobody touched it or
the index since we left it. A `kill -9` at any point leaves the old state, or one that the next
import completes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from ctui.errors import CtuiError
from ctui.git import harvest
from ctui.git.command import run_git
from ctui.git.private import PrivateRepository
from ctui.git.repository import open_trusted
from ctui.text import sanitise

BranchOutcome = Literal["unchanged", "advanced", "diverged", "untouched"]

_FETCH_SECONDS = 300
_LOCK_MARK = b"ctui\n"
_TIPS_LOOKED_AT = 50


class ImportedRef(NamedTuple):
    """A ref that is in the repository now."""

    name: str
    commit: str


class ImportResult(NamedTuple):
    """What an import found and did."""

    refs: tuple[ImportedRef, ...] = ()
    branch: BranchOutcome = "unchanged"
    reason: str = ""
    """A sentence for the person, where the outcome needs one."""
    gitlinks: tuple[str, ...] = ()
    """Paths of nested repositories that the task's branch added."""
    problem: str = ""


class _Advance(msgspec.Struct):
    """The note that makes an advance of the branch complete after a crash."""

    branch: str
    old: str
    new: str


async def import_work(
    private: PrivateRepository, task: str, branch: str | None, base: str | None
) -> ImportResult:
    """Import everything that the task made since the last time.

    Whatever is wrong with the task's directory comes back as `problem`; nothing is raised for it.

    Args:
        private: the task's git directory.
        task: the task's id, part of the refs' names.
        branch: the worktree's branch; None where HEAD was detached.
        base: the commit the task began with.
    """
    try:
        await _finish_advance(private)
        offered = await asyncio.to_thread(harvest.offered_refs, private)
        refs = await _bring_objects(private, offered, task) if offered else {}
        problem = _missing(offered, refs)
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
        outcome, reason = await _advance(private, branch, base or tip, tip)
        return ImportResult(imported, outcome, reason, gitlinks, problem)
    except CtuiError as error:
        return ImportResult(problem=f"the task's commits cannot be imported: {error.message}")
    except OSError as error:
        return ImportResult(problem=f"the task's commits cannot be imported: {error.strerror}")


async def _bring_objects(
    private: PrivateRepository, offered: dict[str, str], task: str
) -> dict[str, str]:
    """Fetch the refs whose commits are really there; returns those."""
    staging = await asyncio.to_thread(_stage, private)
    asked = "".join(f"{commit}\n" for commit in offered.values()).encode()
    checked = await run_git(["cat-file", "--batch-check"], git_dir=staging, input=asked)
    there = {line.split()[0] for line in checked.stdout.decode().splitlines() if "commit" in line}
    refs = {name: commit for name, commit in offered.items() if commit in there}
    lines = [f"{refs[name]} refs/import/{name}\n" for name in sorted(refs)]
    (staging / "packed-refs").write_text("# pack-refs with: sorted \n" + "".join(lines))
    try:
        if refs:
            await _fetch(private, staging, task)
    except CtuiError:
        # A damaged copy must not stand in the way of a whole one.
        await asyncio.to_thread(shutil.rmtree, staging)
        raise
    if len(refs) < len(offered):
        await asyncio.to_thread(shutil.rmtree, staging)
    return refs


def _missing(offered: dict[str, str], refs: dict[str, str]) -> str:
    missing = sorted(set(offered) - set(refs))
    if not missing:
        return ""
    names = sanitise(", ".join(missing[:5]))
    return f"{len(missing)} refs of the task name commits that are not there: {names}"


def _stage(private: PrivateRepository) -> Path:
    """Our own bare repository with the task's new objects and nothing else of the task."""
    staging = private.folder / "staging.git"
    for name in ("objects/info", "objects/pack", "refs"):
        (staging / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    directories = private.repository.object_directories()
    alternates = "".join(f"{path}\n" for path in directories)
    (staging / "objects/info/alternates").write_bytes(os.fsencode(alternates))
    (staging / "HEAD").write_text("ref: refs/heads/none\n")
    (staging / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    harvest.copy_objects(private, staging)
    return staging


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
        output = await run_git(
            ["diff-tree", "-r", "-z", "--raw", "--no-renames", base, tip],
            git_dir=private.repository.common_dir,
        )
        fields = output.stdout.decode("utf-8", "replace").split("\0")
        for change, path in zip(fields[::2], fields[1::2], strict=False):
            old, new, *_ = change.split()
            if new == "160000" and old != ":160000":
                found.add(sanitise(path))
    return tuple(sorted(found))


# -- the worktree's branch


async def _advance(
    private: PrivateRepository, branch: str, base: str, tip: str
) -> tuple[BranchOutcome, str]:
    metadata = private.metadata
    if metadata is None:
        return "untouched", ""
    left_at = private.folder / "left-at"
    expected = left_at.read_text().strip() if left_at.is_file() else base
    git = open_trusted(metadata)
    current = (
        str(git.references[f"refs/heads/{branch}"].target) if branch in git.branches.local else ""
    )
    if current == tip:
        _write_synced(left_at, tip.encode())
        return "unchanged", ""
    where = f"the task's commits are in refs/ctui/…/heads/{branch}"
    if (metadata / "HEAD").read_text().strip() != f"ref: refs/heads/{branch}":
        return "diverged", f"the worktree is not on {branch} any more; {where}"
    if current != expected:
        return "diverged", f"{branch} was changed outside the task; {where}"
    if not git.descendant_of(tip, current):
        return "diverged", f"the task rewrote the history of {branch}; {where}"
    # The note comes before the lock: a lock without a note would look like somebody else's.
    _write_synced(_note(private), msgspec.json.encode(_Advance(branch, current, tip)))
    if not _lock(metadata):
        _note(private).unlink()
        return "diverged", f"another git holds the worktree's index; {where}"
    if not await _index_is(metadata, current):
        _forget_advance(private, metadata)
        return "diverged", f"there are staged changes in the worktree; {where}"
    try:
        ref = f"refs/heads/{branch}"
        message = "ctui: work of the task"
        await run_git(["update-ref", "-m", message, ref, tip, current], git_dir=metadata)
    except CtuiError:
        _forget_advance(private, metadata)
        return "diverged", f"{branch} was changed outside the task; {where}"
    await _follow_with_index(private, metadata, tip)
    return "advanced", f"{branch} is at {tip[:9]}"


def _lock(metadata: Path) -> bool:
    """Take git's own lock of the index, as git does."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(metadata / "index.lock", flags, 0o600)
    except FileExistsError:
        return False
    os.write(descriptor, _LOCK_MARK)
    os.close(descriptor)
    return True


def _holds_lock(metadata: Path) -> bool:
    with suppress(OSError):
        return (metadata / "index.lock").read_bytes() == _LOCK_MARK
    return False


async def _follow_with_index(private: PrivateRepository, metadata: Path, tip: str) -> None:
    """Bring the index to the branch's new tip; no file of the worktree is touched."""
    new = metadata / "index.ctui"
    new.write_bytes((metadata / "index").read_bytes() if (metadata / "index").is_file() else b"")
    if not new.stat().st_size:
        new.unlink()
    # A reset keeps what is known of unchanged files, so that the next status need not read them.
    await run_git(
        ["read-tree", "-i", "--reset", tip], git_dir=metadata, env={"GIT_INDEX_FILE": str(new)}
    )
    new.rename(metadata / "index")
    _write_synced(private.folder / "left-at", tip.encode())
    _forget_advance(private, metadata)


async def _finish_advance(private: PrivateRepository) -> None:
    """Complete, or forget, an advance that a crash cut off."""
    metadata, note = private.metadata, _note(private)
    if metadata is None or not note.is_file():
        return
    try:
        advance = msgspec.json.decode(note.read_bytes(), type=_Advance)
    except msgspec.DecodeError:
        _forget_advance(private, metadata)
        return
    git = open_trusted(metadata)
    reference = f"refs/heads/{advance.branch}"
    moved = reference in git.references and str(git.references[reference].target) == advance.new
    # Without our lock the index was written already, or is somebody else's by now.
    if moved and _holds_lock(metadata):
        await _follow_with_index(private, metadata, advance.new)
    elif moved:
        _write_synced(private.folder / "left-at", advance.new.encode())
    _forget_advance(private, metadata)


def _forget_advance(private: PrivateRepository, metadata: Path) -> None:
    _note(private).unlink(missing_ok=True)
    if _holds_lock(metadata):
        (metadata / "index.lock").unlink()


async def _index_is(metadata: Path, commit: str) -> bool:
    output = await run_git(
        ["diff-index", "--cached", "--quiet", commit], git_dir=metadata, check=False
    )
    return output.exit_code == 0


def _note(private: PrivateRepository) -> Path:
    return private.folder / "advance.json"


def _write_synced(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
