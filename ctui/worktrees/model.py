"""Plain data of a worktree: the record of its creation, and its status."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["merge", "rebase", "cherry-pick", "revert", "bisect", "am"]
"""Operations that a worktree can be in the middle of."""

Problem = Literal[
    "missing",
    "moved",
    "tampered",
    "unlinked",
    "foreign-owner",
    "unreadable",
    "submodules-unchecked",
]


class WorktreeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Record from when ctui made or adopted the worktree; no task can change it."""

    name: str
    path: str
    repository: str
    """The main repository's `.git`."""
    metadata: str
    """The worktree's folder below `.git/worktrees`."""
    device: int
    inode: int
    branch: str | None
    base: str | None
    """Commit that it began with, or None if ctui did not make it."""
    created: int
    """Time in nanoseconds since the epoch."""


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
    """Remote branch that the worktree's branch follows."""

    name: str | None = None
    state: Literal["none", "gone", "present"] = "none"
    ahead: int = 0
    behind: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """Relation of the worktree's commits to the target."""

    kind: Literal["no-commits", "merged", "history", "empty", "undone", "unmerged", "unknown"]
    """`history`: the target had all of it, and changed it later. `undone`: its commits leave all
    files as they were."""
    evidence: str
    commit: str | None = None
    """Commit of the target that the evidence names."""
    reverted: str | None = None
    """Commit of the target that took what was merged out again, or that never let it in."""


class Work(msgspec.Struct, frozen=True):
    """Everything that only one worktree has, for the proof of its merge."""

    tip: str
    """Commit of its HEAD."""
    base: str | None = None
    """Commit that it began with, if that was recorded."""
    created_only: bool = False
    """True if its reflog has nothing but its creation; read only if there is no base."""
    also: tuple[tuple[str, str], ...] = ()
    """Name and commit of everything else that is only here: its task's other branches and stash."""
    outlook: bool = True
    """True if what landing it would bring is wanted as well."""


class Proof(msgspec.Struct, frozen=True):
    """Result of the proof for one worktree against the target."""

    verdict: Verdict
    ahead: int = 0
    """Number of commits that the target does not have."""
    behind: int = 0
    """Number of the target's commits that the worktree does not have."""
    lost: tuple[str, ...] = ()
    """Names of everything else that is only here and not in the target."""
    added: int | None = None
    """Number of lines that landing it would add; None if that is not known, or it is merged."""
    removed: int | None = None
    conflict: bool | None = None
    """True if landing it by a merge would conflict; None if that is not known."""
    files: int | None = None
    """Number of files that landing it would change; None if that is not known."""


class WorktreeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Status of one worktree at the time of a survey."""

    name: str
    path: str
    metadata: str
    """The worktree's folder below `.git/worktrees`."""
    branch: str | None
    head: str | None
    base: str | None
    status: Literal["clean", "unclean", "merged"]
    verdict: Verdict
    changes: Changes | None
    upstream: Upstream
    ahead: int
    """Number of commits that the target does not have."""
    behind: int
    """Number of the target's commits that the worktree does not have."""
    state: State | None
    locked: str | None
    problem: Problem | None
    is_target: bool = False
    """True if it is on the branch that others are judged against: it goes only by force."""
    active: int
    """Last time that git wrote its state: nanoseconds since the epoch, 0 if unknown."""
    added: int | None = None
    """Number of lines that landing it would add; None if that is not known, or it is merged."""
    removed: int | None = None
    conflict: bool | None = None
    """True if landing it by a merge would conflict; None if that is not known."""
    files: int | None = None
    """Number of files that landing it would change; None if that is not known."""

    @property
    def evidence(self) -> str:
        """The reason for its status as a sentence, the same in every place."""
        if self.state is not None:
            return f"it is in the middle of a {self.state}"
        if self.status == "clean" and self.verdict.kind == "unmerged":
            return f"all of it is on {self.upstream.name}"
        return self.verdict.evidence
