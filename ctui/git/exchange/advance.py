"""Forward-only moves of a worktree's branch to what its task committed, completed after a crash.

The branch moves by compare-and-swap under git's own lock of the index, and only if nobody touched
the branch or the index since we left them; else the outcome is "diverged" and nothing moves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from ctui.errors import Conflict, ExternalFailure
from ctui.files import replace_file
from ctui.git.exchange.index_lock import IndexLock
from ctui.git.exchange.swap import compare_and_swap
from ctui.git.private.private import PrivateRepository
from ctui.git.process.command import run_git
from ctui.git.repository.opening import open_trusted
from ctui.git.repository.sparse import mark_left_out, sparse_of
from ctui.text import one_line

BranchOutcome = Literal["unchanged", "advanced", "diverged", "untouched"]

_LOCK_MARK = b"ctui\n"


class _Advance(msgspec.Struct):
    """Note from which an advance of the branch is completed after a crash."""

    branch: str
    old: str
    new: str


async def advance_branch(
    private: PrivateRepository, branch: str, base: str, tip: str
) -> tuple[BranchOutcome, str]:
    """Move `branch` to `tip` if it is still at the recorded commit (at first: at `base`).

    Returns:
        the outcome, and a sentence for the person where the outcome needs one.
    """
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
        _leave_at(private, tip)
        return "unchanged", ""
    where = f"the task's commits are in refs/ctui/…/heads/{branch}"
    if (metadata / "HEAD").read_text().strip() != f"ref: refs/heads/{branch}":
        return "diverged", f"the worktree is not on {branch} any more; {where}"
    if current != expected:
        return "diverged", f"{branch} was changed outside the task; {where}"
    if not await _contains(private, tip, current):
        return "diverged", f"the task rewrote the history of {branch}; {where}"
    # The note comes first: after a crash, a lock without a note would seem to be another git's.
    advance = _Advance(branch, current, tip)
    replace_file(_note(private), msgspec.json.encode(advance), suffix="new")
    if not _lock(metadata).take():
        _note(private).unlink()
        return "diverged", f"another git holds the worktree's index; {where}"
    if not await _index_is(metadata, current):
        _forget_advance(private, metadata)
        return "diverged", f"there are staged changes in the worktree; {where}"
    try:
        compare_and_swap(metadata, f"refs/heads/{branch}", current, tip, "ctui: work of the task")
    except Conflict:
        _forget_advance(private, metadata)
        return "diverged", f"{branch} was changed outside the task; {where}"
    await _follow_with_index(private, metadata, tip)
    return "advanced", f"{branch} is at {tip[:9]}"


async def _contains(private: PrivateRepository, tip: str, commit: str) -> bool:
    """Return True if a commit is in the history of another.

    Asked of the repository itself: libgit2 finds no end of a shallow history by a worktree's
    metadata.
    """
    output = await run_git(
        ["merge-base", "--is-ancestor", commit, tip],
        git_dir=private.repository.common_dir,
        check=False,
    )
    if output.exit_code not in {0, 1}:
        raise ExternalFailure(
            f"the histories of {commit[:9]} and {tip[:9]} cannot be compared: "
            f"{one_line(output.stderr, 200)}",
            hint="git fsck tells more",
        )
    return output.exit_code == 0


def _lock(metadata: Path) -> IndexLock:
    return IndexLock(metadata, _LOCK_MARK)


async def _follow_with_index(private: PrivateRepository, metadata: Path, tip: str) -> None:
    """Update the index to the branch's new tip, and no file of the worktree."""
    new = metadata / "index.ctui"
    _lock(metadata).copy_index(new)
    # A reset keeps what is known of unchanged files, so that the next status need not read them.
    await run_git(
        ["read-tree", "-i", "--reset", tip], git_dir=metadata, env={"GIT_INDEX_FILE": str(new)}
    )
    if await sparse_of(metadata) is not None:
        added = sorted(await _paths_in(metadata, new) - await _paths_in(metadata))
        link = (metadata / "gitdir").read_text(encoding="utf-8", errors="surrogateescape").strip()
        await mark_left_out(metadata, (metadata / link).parent, new, added)
    new.rename(metadata / "index")
    _leave_at(private, tip)
    _forget_advance(private, metadata)


async def _paths_in(metadata: Path, index: Path | None = None) -> set[bytes]:
    env = {"GIT_INDEX_FILE": str(index)} if index is not None else None
    listed = await run_git(["ls-files", "-z"], git_dir=metadata, env=env)
    return set(filter(None, listed.stdout.split(b"\0")))


async def finish_advance(private: PrivateRepository) -> None:
    """Complete or undo an advance that a crash interrupted."""
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
    # If our lock is gone, the index was already written, or another git has taken it.
    if moved and _lock(metadata).held:
        await _follow_with_index(private, metadata, advance.new)
    elif moved:
        _leave_at(private, advance.new)
    _forget_advance(private, metadata)


def _forget_advance(private: PrivateRepository, metadata: Path) -> None:
    _note(private).unlink(missing_ok=True)
    _lock(metadata).release()


async def _index_is(metadata: Path, commit: str) -> bool:
    output = await run_git(
        ["diff-index", "--cached", "--quiet", commit], git_dir=metadata, check=False
    )
    return output.exit_code == 0


def _leave_at(private: PrivateRepository, commit: str) -> None:
    """Record where the branch is, so that the next advance sees who else moved it."""
    replace_file(private.folder / "left-at", commit.encode(), suffix="new")


def _note(private: PrivateRepository) -> Path:
    return private.folder / "advance.json"
