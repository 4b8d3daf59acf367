"""The first commit of a target's line that has all of some changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ctui.worktrees.proof.absorption import Absorption
from ctui.worktrees.proof.target_history import Row, TargetHistory
from ctui.worktrees.proof.tree_changes import Change, Entry

_ROWS_MERGED = 200


class Found(NamedTuple):
    """Row that has the changes, with the files that it changed as they were before it."""

    rank: int
    before: Mapping[str, Entry | None]


def first_holding(
    history: TargetHistory,
    absorption: Absorption,
    changes: Mapping[str, Change],
    bases: Iterable[str],
    merges_clean: Callable[[Row], bool],
    since: int = 0,
) -> Found | None:
    """Return the first row from `since` on that has all of the changes, or None.

    Rows that have exactly the branch's files come first, because they are found without
    a merge. If a file is gone (removed on both sides, or renamed on one),
    `merges_clean` decides: removing a file that the other side renamed is not the same
    change.
    """
    waiting: list[tuple[Found, dict[str, Entry | None]]] = []
    renamed: list[Found] = []
    for moment in history.moments(changes, bases):
        if moment.missing or moment.rank < since:
            continue
        found = Found(moment.rank, moment.before)
        if moment.gone:
            renamed.append(found)
        elif not moment.differing:
            return found
        elif len(waiting) < _ROWS_MERGED:
            waiting.append((found, dict(moment.differing)))
    for found, differing in waiting:
        if absorption.holds_all(differing, changes):
            return found
    rows = history.rows
    return next((found for found in renamed if merges_clean(rows[found.rank])), None)
