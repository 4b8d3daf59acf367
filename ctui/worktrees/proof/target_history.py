"""The target's first-parent line and the changes of its commits, read by one git process.

Of a merge it is what the merge brought in. So everything that reached the target is in the table,
one row for each time it was pushed or merged, and the state of any path at any row is known
without reading a tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from ctui.worktrees.proof.scratch import Scratch
from ctui.worktrees.proof.tree_changes import Change, Entry, entry_at, raw_change

_ROWS = 5_000
"""Limit of commits that are read one by one; older work is found only if it is still there."""

_MARK = "commit "


class Row(NamedTuple):
    """Commit of the first-parent line."""

    commit: str
    parents: tuple[str, ...]


class _Event(NamedTuple):
    rank: int
    path: str
    change: Change


class Moment:
    """Watched paths in one row. All rows share this object, so read it before going on."""

    def __init__(self, watched: Mapping[str, Change], entries: dict[str, Entry | None]) -> None:
        self.rank = -1
        self.before: dict[str, Entry | None] = {}
        """Paths that the row's commit itself changed, as they were before it."""
        self.missing: set[str] = set()
        """Paths that are as before the change, which a merge into this row would alter."""
        self.differing: dict[str, Entry | None] = {}
        """Paths that are not as after the change."""
        self.gone: set[str] = set()
        """Paths that the change knew and that this row lacks: removed, or renamed."""
        self._watched = watched
        for path, entry in entries.items():
            self._put(path, entry)

    def move(self, rank: int, events: Iterable[_Event]) -> None:
        self.rank = rank
        self.before = {}
        for event in events:
            self.before[event.path] = event.change.old
            self._put(event.path, event.change.new)

    def _put(self, path: str, entry: Entry | None) -> None:
        change = self._watched[path]
        self.missing.discard(path)
        self.differing.pop(path, None)
        self.gone.discard(path)
        if entry == change.old:
            self.missing.add(path)
        if entry != change.new:
            self.differing[path] = entry
        if entry is None and change.old is not None:
            self.gone.add(path)


class TargetHistory:
    """The rows from a common ancestor of all questions (exclusive) to the target."""

    def __init__(
        self, scratch: Scratch, target: str, rows: list[Row], events: dict[str, list[_Event]]
    ) -> None:
        self.target = target
        self.rows = rows
        """Rows, oldest first."""
        self._scratch = scratch
        self._events = events
        self._ranks = {row.commit: rank for rank, row in enumerate(rows)}
        self._firsts: dict[str, int] = {}
        self._merges: dict[str, int] = {}
        for rank, row in enumerate(rows):
            for parent in row.parents[1:]:
                self._merges.setdefault(parent, rank)

    def on_line(self, commit: str) -> bool:
        """Return True if it is on the first-parent line, as far as that was read."""
        if commit in self._ranks or commit == self.target:
            return True
        return bool(self.rows) and self.rows[0].parents[:1] == (commit,)

    @property
    def truncated(self) -> bool:
        """True if there are older rows than those that were read."""
        return len(self.rows) == _ROWS

    def first_with(self, commit: str) -> int:
        """Return the rank of the first row after `commit`, which is an ancestor of the target.

        For a commit that came in by a merge, that is the row of the merge.
        """
        if commit in self._ranks:
            return self._ranks[commit] + 1
        if commit not in self._firsts:
            self._firsts[commit] = self._search(commit)
        return self._firsts[commit]

    def _search(self, commit: str) -> int:
        low, high = 0, len(self.rows)
        if self.on_line(commit):
            return 0
        if commit in self._merges:
            return self._merges[commit]
        while low < high:
            middle = (low + high) // 2
            if self._scratch.graph.descendant_of(self.rows[middle].commit, commit):
                high = middle
            else:
                low = middle + 1
        return low

    def touched(self, path: str) -> bool:
        return path in self._events

    def moments(self, changes: Mapping[str, Change], bases: Iterable[str]) -> Iterator[Moment]:
        """Yield the rows after all of `bases` that changed one of the paths, oldest first.

        The search ends early if some path is in all rows as it was before the change.
        """
        first = max(map(self.first_with, bases))
        entries: dict[str, Entry | None] = {}
        for path, change in changes.items():
            entries[path] = self._begin(path)
            if entries[path] == change.old and path not in self._events:
                return
        moment = Moment(changes, entries)
        events = sorted(
            (event for path in changes for event in self._events.get(path, ())),
            key=itemgetter(0),
        )
        for rank, group in groupby(events, key=itemgetter(0)):
            moment.move(rank, group)
            if rank >= first:
                yield moment

    def now(self, changes: Mapping[str, Change]) -> Moment:
        """Return the paths in the target itself, up to the first that is as before its change."""
        entries: dict[str, Entry | None] = {}
        for path, change in changes.items():
            events = self._events.get(path)
            entries[path] = events[-1].change.new if events else self._at_target(path)
            if entries[path] == change.old:
                break
        return Moment(changes, entries)

    def _begin(self, path: str) -> Entry | None:
        events = self._events.get(path)
        return events[0].change.old if events else self._at_target(path)

    def _at_target(self, path: str) -> Entry | None:
        return entry_at(self._scratch.objects, self._scratch.tree(self.target), path)


def read_history(scratch: Scratch, target: str, bases: Sequence[str]) -> TargetHistory:
    """Read the rows above the common ancestor of all bases; none if git cannot read them.

    Args:
        scratch: where it is read.
        target: a commit.
        bases: ancestors of the target.
    """
    if not bases:
        return TargetHistory(scratch, target, [], {})
    floor = _common(scratch, bases)
    output = scratch.git(
        "log",
        "--first-parent",
        "--diff-merges=first-parent",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "--ignore-submodules=none",
        f"--max-count={_ROWS}",
        "-z",
        f"--format={_MARK}%H %P",
        target,
        *(["--not", str(floor)] if floor else []),
    )
    rows: list[Row] = []
    changed: list[tuple[int, str, Change]] = []
    fields = iter(os.fsdecode(output).split("\0"))
    for field in fields:
        line = field.lstrip("\n")
        if line.startswith(":"):
            changed.append((len(rows), next(fields), raw_change(line)))
        elif line.startswith(_MARK):
            commit, *parents = line.removeprefix(_MARK).split()
            rows.append(Row(commit, tuple(parents)))
    # Git lists the newest first.
    rows.reverse()
    events: dict[str, list[_Event]] = {}
    for place, path, change in reversed(changed):
        events.setdefault(path, []).append(_Event(len(rows) - place, path, change))
    return TargetHistory(scratch, target, rows, events)


def _common(scratch: Scratch, bases: Sequence[str]) -> str | None:
    """Return an ancestor of all commits, or None if there is none or it cannot be found."""
    import pygit2

    if len(bases) == 1:
        return bases[0]
    with suppress(KeyError, ValueError, pygit2.GitError):
        found = cast("pygit2.Oid | None", scratch.graph.merge_base_octopus(list(bases)))
        return str(found) if found else None
    return None
