"""Records of a task's turns: plain data, the same in the store and in `--json`."""

from __future__ import annotations

import msgspec


class Turn(msgspec.Struct, kw_only=True):
    """One turn of a task: what it was told, and what its files became."""

    task: str
    turn: int
    """They count from 1."""
    run: int
    prompt: str = ""
    """Everything that was said in it; "" where the CLI began it by itself."""
    started: int = 0
    """Nanoseconds since the epoch."""
    ended: int | None = None
    snapshot: str = ""
    """Id of the snapshot of its end; "" where none could be taken, or not yet."""
    files: int | None = None
    """Number of files that differ between its beginning and its end; None where one is not kept."""
    added: int | None = None
    """Lines, as git counts them; a binary file has none."""
    removed: int | None = None
    cost_before: float = 0.0
    """US dollars that the task had cost when it began."""
    cost_usd: float = 0.0
    head: str = ""
    """Commit that was checked out at its end."""


class TurnFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a worktree before a turn, or at its end."""

    turn: int
    at_end: bool
    snapshot: str = ""
    """Its id; "" where none could be taken."""
    files: int | None = None
    """Number of files that the turn has changed; None before it, or if its beginning is unknown."""
    added: int | None = None
    removed: int | None = None
    head: str = ""
    """Commit that was checked out; "" if there was none."""
    problem: str = ""
    """Reason why there is none, in one sentence."""
