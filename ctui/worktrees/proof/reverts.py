"""Work that was merged and is not in the target's files: reverted there, or never let in.

A revert is found like a merge: the target has a commit into which the opposite of the changes
would bring nothing. No message is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ctui.worktrees.proof.absorption import Absorption
from ctui.worktrees.proof.holding import first_holding
from ctui.worktrees.proof.scratch import Scratch
from ctui.worktrees.proof.target_history import Row, TargetHistory
from ctui.worktrees.proof.tree_changes import Change, entry_at

if TYPE_CHECKING:
    import pygit2

_ROUNDS = 5
"""Limit of reverts of the same changes that are followed by another merge."""


class Merge(NamedTuple):
    """Changes that came into the target, and where."""

    rank: int
    """Rank of the row that brought them; -1 if they came before all rows."""
    before: pygit2.Tree
    after: pygit2.Tree


def opposite_of(changes: Mapping[str, Change]) -> dict[str, Change]:
    """Return the changes that undo these."""
    return {path: Change(new, old) for path, (old, new) in changes.items()}


def merge_of(scratch: Scratch, history: TargetHistory, tip: str, began: str | None) -> Merge | None:
    """Return what brought a commit into the target that contains it, or None if that is not known.

    Args:
        scratch: where it is read.
        history: of the target.
        tip: an ancestor of the target.
        began: where its branch began, which tells what a fast-forward brought.
    """
    import pygit2

    with suppress(KeyError, ValueError, pygit2.GitError):
        rank = history.first_with(tip)
        if history.on_line(tip):
            if began is None or not scratch.graph.descendant_of(tip, began):
                return None
            return Merge(rank - 1, scratch.tree(began), scratch.tree(tip))
        if rank >= len(history.rows) or (rank == 0 and history.truncated):
            return None
        row = history.rows[rank]
        before, after = scratch.tree(row.parents[0]), scratch.tree(row.commit)
        if tip not in row.parents or before.id == after.id:
            base = scratch.graph.merge_base(row.parents[0], tip)
            before, after = scratch.tree(base), scratch.tree(tip)
        return Merge(rank, before, after)
    return None


class Reverts:
    """Search for what became of changes after their merge."""

    def __init__(self, scratch: Scratch, history: TargetHistory, absorption: Absorption) -> None:
        self._scratch = scratch
        self._history = history
        self._absorption = absorption

    def reverted(self, merge: Merge, bases: Iterable[str]) -> str | None:
        """Return the commit that took the changes out, unless they came back after it."""
        changes, since = self._scratch.changes(merge.before, merge.after), merge.rank
        opposite = opposite_of(changes)
        bases = tuple(bases)
        for _ in range(_ROUNDS if changes else 0):
            out = self._first(opposite, bases, merge.after, merge.before, since + 1)
            if out is None:
                break
            back = self._first(changes, bases, merge.before, merge.after, out + 1)
            if back is None:
                return self._history.rows[out].commit
            since = back
        return None

    def kept_out(self, merge: Merge, bases: Iterable[str]) -> bool:
        """Return True if the merge has none of the changes, and nothing brought them later.

        That is what `git merge --strategy=ours` does.
        """
        row = self._history.rows[merge.rank]
        changes = self._scratch.changes(merge.before, merge.after)
        tree = self._scratch.tree(row.commit)
        there = {path: self._entry(tree, path) for path in changes}
        if tree.id == self._scratch.tree(row.parents[0]).id:
            out = not self._absorption.holds_all(there, changes)
        else:
            out = self._absorption.holds_all(there, opposite_of(changes))
        if not changes or not out:
            return False
        since = merge.rank + 1
        return self._first(changes, tuple(bases), merge.before, merge.after, since) is None

    def _first(
        self,
        changes: Mapping[str, Change],
        bases: tuple[str, ...],
        before: pygit2.Tree,
        after: pygit2.Tree,
        since: int,
    ) -> int | None:
        def adds_nothing(row: Row) -> bool:
            tree = self._scratch.tree(row.commit)
            return self._absorption.tree_holds(before, tree, after)

        found = first_holding(self._history, self._absorption, changes, bases, adds_nothing, since)
        return found.rank if found else None

    def _entry(self, tree: pygit2.Tree, path: str) -> tuple[int, str] | None:
        return entry_at(self._scratch.objects, tree, path)
