"""Absorption: files or trees hold a change if merging it there adds nothing.

A merge without renames decides path by path. So only what differs on all three sides is really
merged, one file at a time, and whole trees only where a file is gone that may have been renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from ctui.worktrees.proof.scratch import Scratch
from ctui.worktrees.proof.target_history import Moment
from ctui.worktrees.proof.tree_changes import REGULAR, Change, Entry

if TYPE_CHECKING:
    import pygit2

_Side = TypeVar("_Side")

_FILE_MERGES = 200
_TREE_MERGES = 10
"""Limit of merges for one branch; a change that is not found within it counts as missing."""

_FILE_BYTES = 32 << 20
"""Bytes; larger files are not merged, which would take seconds and as much memory again."""


class Absorption:
    """Merges for one branch, each made once."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._files: dict[tuple[str, str, str], bool] = {}
        self._commits: dict[tuple[str, str], bool] = {}
        self._file_merges = _FILE_MERGES
        self._tree_merges = _TREE_MERGES

    def holds(self, moment: Moment, changes: Mapping[str, Change]) -> bool:
        """Return True if the files of this moment hold all the changes where they were made."""
        return not moment.missing and self.holds_all(moment.differing, changes)

    def holds_all(self, entries: Mapping[str, Entry | None], changes: Mapping[str, Change]) -> bool:
        """Return True if paths hold the changes although they differ from the changes' results."""
        return all(self._holds(ours, changes[path]) for path, ours in entries.items())

    def _holds(self, ours: Entry | None, change: Change) -> bool:
        old, new = change
        if ours == new:
            return True
        if ours == old or old is None or new is None or ours is None:
            return False
        if not {old[0], new[0], ours[0]} <= REGULAR:
            return False
        if new[0] not in {old[0], ours[0]}:
            return False  # an executable bit that is not there
        return new[1] in {old[1], ours[1]} or self._file_holds(ours[1], old[1], new[1])

    def _file_holds(self, ours: str, old: str, new: str) -> bool:
        key = (ours, old, new)
        if key not in self._files:
            if ours == old or self._file_merges == 0:
                return False
            self._file_merges -= 1
            self._files[key] = self._merge_files(ours, old, new)
        return self._files[key]

    def _merge_files(self, ours: str, old: str, new: str) -> bool:
        from pygit2.enums import MergeFlag

        git = self._scratch.objects
        if any(git.odb.read_header(oid)[1] > _FILE_BYTES for oid in (ours, old, new)):
            return False
        trees = [self._tree_of(oid) for oid in (old, ours, new)]
        index = git.merge_trees(trees[0], trees[1], trees[2], flags=MergeFlag(0))
        return not index.conflicts and [str(entry.id) for entry in index] == [ours]

    def _tree_of(self, blob: str) -> pygit2.Tree:
        from pygit2.enums import FileMode

        git = self._scratch.objects
        builder = git.TreeBuilder()
        builder.insert("file", blob, FileMode.BLOB)
        return cast("pygit2.Tree", git[builder.write()])

    def tree_holds(self, base: pygit2.Tree, ours: pygit2.Tree, theirs: pygit2.Tree) -> bool:
        """Return True if whole trees hold all the changes, renames included."""
        from pygit2.enums import MergeFlag

        if not self._may_merge_trees():
            return False
        merge = partial(self._scratch.objects.merge_trees, base, flags=MergeFlag.FIND_RENAMES)
        return self._gives(ours.id, merge, ours, theirs)

    def commit_holds(self, ours: str, theirs: str) -> bool:
        """Return True if merging the commit `theirs` into `ours` adds nothing."""
        if (ours, theirs) not in self._commits:
            allowed = self._may_merge_trees()
            self._commits[ours, theirs] = allowed and self._merge_commits(ours, theirs)
        return self._commits[ours, theirs]

    def _merge_commits(self, ours: str, theirs: str) -> bool:
        from pygit2.enums import MergeFlag

        tree = self._scratch.commit(ours).tree_id
        merge = partial(self._scratch.objects.merge_commits, flags=MergeFlag.FIND_RENAMES)
        if self._gives(tree, merge, ours, theirs):
            return True
        return self._scratch.merge_tree(ours, theirs) == str(tree)

    def _gives(
        self, tree: pygit2.Oid, merge: Callable[[_Side, _Side], pygit2.Index], *sides: _Side
    ) -> bool:
        """Return True if a merge gives this tree, whichever side is called ours.

        Of a file that both sides renamed and edited alike, libgit2 takes the mode of ours without
        a conflict, although only theirs has changed it.
        """
        git = self._scratch.objects
        indexes = (merge(*order) for order in (sides, sides[::-1]))
        return all(not index.conflicts and index.write_tree(git) == tree for index in indexes)

    def _may_merge_trees(self) -> bool:
        self._tree_merges -= 1
        return self._tree_merges >= 0
