"""Conditions for a worktree to go into the trash, checked before and after its rename."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.errors import Conflict, CtuiError, Refused
from ctui.git.process.command import run_git, status_arguments
from ctui.git.repository.moved import repair_command
from ctui.git.repository.repository import Repository, Target
from ctui.text import one_line
from ctui.worktrees.git_status import digest_of
from ctui.worktrees.identity import place_of
from ctui.worktrees.mending import what_to_do
from ctui.worktrees.model import Changes, Problem, WorktreeStatus
from ctui.worktrees.trash.entries import TrashRecord
from ctui.worktrees.trash.keep_refs import named_objects

_STATUS_SECONDS = 60.0
FORCED_PROBLEMS = frozenset({"submodules-unchecked", "missing", "unlinked"})
_LOOK_AGAIN = "look at it again, then remove it"

StillFree = Callable[[], bool]
"""Check before and after the rename that nobody works in the worktree."""


class RemovalBasis(NamedTuple):
    """Facts that the removal was decided on."""

    status: WorktreeStatus
    digest: bytes | None
    """Digest of `git status`, or None if the files are gone."""
    inode: int | None
    target: Target


def check_removal(status: WorktreeStatus, *, force: bool) -> None:
    """Raise Refused unless a worktree in this state may be removed.

    Raises:
        Refused: it is locked, unclean or missing (without `force`), or has another problem.
    """
    name = one_line(status.name)
    if status.locked is not None:
        why = f": {one_line(status.locked)}" if status.locked else ""
        raise Refused(f"{name} is locked{why}", hint="git worktree unlock")
    if status.problem is not None and not (force and status.problem in FORCED_PROBLEMS):
        raise Refused(
            f"{name} is {status.problem}",
            hint=_hint(status.problem, Path(status.path), Path(status.metadata)),
        )
    if status.is_target and not force:
        raise Refused(
            f"{name} has the branch that others are judged against",
            hint="--force moves it to the trash",
        )
    if status.status == "unclean" and not force:
        changes = status.changes
        what = "uncommitted changes" if changes and changes.any else status.evidence
        raise Refused(f"{name} is unclean: {one_line(what)}", hint="--force moves it to the trash")


def _hint(problem: Problem, path: Path, metadata: Path) -> str:
    if problem == "submodules-unchecked":
        return "look into them; --force moves it to the trash as it is"
    if problem == "missing":
        repair = repair_command(metadata.parent.parent, Path("ITS_NEW_PLACE"))
        left = "--force moves what is left to the trash"
        return f"if you moved it: {one_line(repair, 300)}; else {left}"
    mend = what_to_do(problem, path, metadata)
    return f"{mend}; or --force moves it to the trash" if problem in FORCED_PROBLEMS else mend


async def check_there(
    repository: Repository, planned: TrashRecord, seen: RemovalBasis, named: frozenset[str]
) -> None:
    """Compare what lies in the trash with what was seen.

    Raises:
        Conflict: it is something else.
    """
    name, target = one_line(planned.entry.name), repository.target()
    metadata = Path(planned.moved[0].target)
    if seen.digest is not None:
        digest = await look(seen.status, metadata, Path(planned.moved[1].target))
        if digest != seen.digest:
            raise Conflict(f"{name} changed meanwhile", hint=_LOOK_AGAIN)
    if named_objects(metadata) != named:
        raise Conflict(f"{name} was worked in meanwhile", hint=_LOOK_AGAIN)
    proven = seen.status.verdict.kind in {"merged", "history"}
    if target != seen.target and proven and seen.status.status != "unclean":
        ref = target.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
        raise Conflict(f"{one_line(ref)} moved meanwhile", hint=_LOOK_AGAIN)


async def look(status: WorktreeStatus, metadata: Path, path: Path) -> bytes:
    """Return the digest of what `git status` says; see `digest_of`."""
    try:
        said = await run_git(
            status_arguments("--no-ahead-behind"),
            git_dir=metadata,
            work_tree=path,
            timeout=_STATUS_SECONDS,
        )
    except CtuiError as error:
        raise Refused(
            f"{one_line(status.name)} cannot be looked at: {error.message}",
            hint="look at it by hand",
        ) from error
    return digest_of(said.stdout)


def refuse_change(seen: WorktreeStatus, now: WorktreeStatus) -> None:
    """Raise Conflict with the difference from what the person saw."""
    for what in ("head", "branch", "changes", "state", "status", "problem"):
        before, after = getattr(seen, what), getattr(now, what)
        if before != after:
            raise Conflict(
                f"{one_line(seen.name)} changed meanwhile: {what} was {_said(before)},"
                f" is {_said(after)}",
                hint=_LOOK_AGAIN,
            )


def _said(value: object) -> str:
    if isinstance(value, Changes):
        counted = {name: count for name, count in msgspec.structs.asdict(value).items() if count}
        return ", ".join(f"{count} {name}" for name, count in counted.items()) or "no changes"
    return one_line(str(value))


def refuse_nested(repository: Repository, metadata: Path, path: Path) -> None:
    """Raise Refused if the repository, or another worktree of it, would go along."""
    inside = f"{place_of(path)}{os.sep}"
    if str(repository.common_dir).startswith(inside):
        raise Refused(f"the repository itself lies in {path}", hint="move it away first")
    for link in repository.common_dir.glob("worktrees/*/gitdir"):
        other = Path(os.path.normpath(link.parent / os.fsdecode(link.read_bytes()).rstrip("\n")))
        if link.parent != metadata and str(place_of(other)).startswith(inside):
            raise Refused(
                f"the worktree {one_line(link.parent.name)} lies in {one_line(path.name)}",
                hint="remove that one first",
            )


def refuse_work(planned: TrashRecord, still_free: StillFree) -> None:
    if not still_free():
        raise Refused(
            f"somebody works in {one_line(planned.entry.name)}", hint="stop the task first"
        )


def refuse_lock(planned: TrashRecord) -> None:
    locked = Path(planned.entry.metadata) / "locked"
    if locked.exists():
        name, why = one_line(planned.entry.name), one_line(locked.read_text(errors="replace"))
        raise Refused(f"{name} is locked: {why}", hint="git worktree unlock")
