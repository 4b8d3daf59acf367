"""A worktree: what was recorded when it was made, and what it is now. Plain data."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["merge", "rebase", "cherry-pick", "revert", "bisect", "am"]
"""What a worktree can be in the middle of."""

Problem = Literal["missing", "tampered", "foreign-owner", "unreadable", "submodules-unchecked"]


class WorktreeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was true when ctui made or adopted it; a task can change none of this."""

    name: str
    path: str
    repository: str
    """The main repository's `.git`."""
    metadata: str
    """Its folder below `.git/worktrees`."""
    device: int
    inode: int
    branch: str | None
    base: str | None
    """The commit that it began with; None for one that ctui did not make."""
    created: int
    """Nanoseconds since the epoch."""


class Changes(msgspec.Struct, frozen=True):
    """Numbers of files."""

    staged: int = 0
    modified: int = 0
    untracked: int = 0
    conflicted: int = 0

    @property
    def any(self) -> bool:
        return bool(self.staged or self.modified or self.untracked or self.conflicted)


class Upstream(msgspec.Struct, frozen=True):
    """The remote branch that it follows."""

    name: str | None = None
    state: Literal["none", "gone", "present"] = "none"
    ahead: int = 0
    behind: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """What the worktree's commits are to the target."""

    kind: Literal["no-commits", "merged", "history", "empty", "unmerged", "unknown"]
    evidence: str
    commit: str | None = None


class Work(msgspec.Struct, frozen=True):
    """What only one worktree has, to be proven merged."""

    tip: str
    """The commit of its HEAD."""
    base: str | None = None
    """The commit that it began with, where that was recorded."""
    created_only: bool = False
    """Whether its reflog knows nothing but its creation; asked only where there is no base."""
    also: tuple[tuple[str, str], ...] = ()
    """Name and commit of what else is only here: its task's other branches and stash."""


class Proof(msgspec.Struct, frozen=True):
    """What the target has of a worktree's work."""

    verdict: Verdict
    ahead: int = 0
    """Commits that the target does not have."""
    behind: int = 0
    """Commits of the target that it does not have."""
    lost: tuple[str, ...] = ()
    """Names of what else is only here, and is not in the target."""


class WorktreeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worktree as it is now."""

    name: str
    path: str
    metadata: str
    """Its folder below `.git/worktrees`."""
    branch: str | None
    head: str | None
    base: str | None
    status: Literal["clean", "unclean", "merged"]
    verdict: Verdict
    changes: Changes | None
    upstream: Upstream
    ahead: int
    """Commits that the target does not have."""
    behind: int
    """Commits of the target that it does not have."""
    state: State | None
    locked: str | None
    problem: Problem | None
    active: int
    """When git last wrote its state: nanoseconds since the epoch, 0 if nothing tells."""

    @property
    def evidence(self) -> str:
        """Why its status is what it is, in a sentence."""
        return evidence(self.state, self.verdict)


def evidence(state: State | None, verdict: Verdict) -> str:
    """Why a worktree's status is what it is, in a sentence."""
    return f"it is in the middle of a {state}" if state is not None else verdict.evidence
