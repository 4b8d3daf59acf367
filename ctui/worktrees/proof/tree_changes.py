"""Entries of a tree, and changes between two trees. No object but trees is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    import pygit2

Entry = tuple[int, str]
"""Mode and object id, as a tree has them; for a submodule its commit."""

TREE = 0o040000
REGULAR = frozenset({0o100644, 0o100755})


class Change(NamedTuple):
    """Entries at a path before and after; None if there is nothing."""

    old: Entry | None
    new: Entry | None


Changes = Mapping[str, Change]
"""Changes by path, in the form of `os.fsdecode`: names need not be UTF-8."""


def changes_between(before: pygit2.Tree, after: pygit2.Tree) -> dict[str, Change]:
    """Return every path that differs, without looking for renames."""
    from pygit2.enums import DiffOption

    found: dict[str, Change] = {}
    options = DiffOption.INCLUDE_TYPECHANGE | DiffOption.SKIP_BINARY_CHECK
    for delta in before.diff_to_tree(after, flags=options, context_lines=0).deltas:
        path = os.fsdecode(delta.new_file.raw_path)
        _add(found, path, Change(_side(delta.old_file), _side(delta.new_file)))
    return found


def changes_of_pairs(output: bytes) -> dict[str, dict[str, Change]]:
    """Return what `git diff-tree --stdin --raw -z` says of pairs of trees, by its line for each.

    That is the two ids with a space between them (git-diff-tree(1)).
    """
    found: dict[str, dict[str, Change]] = {}
    of_pair: dict[str, Change] = {}
    fields = iter(os.fsdecode(output).split("\0"))
    for field in fields:
        # A pair's line is in front of its first change, and so are those of pairs without any.
        for line in filter(None, field.split("\n")):
            if line.startswith(":"):
                _add(of_pair, next(fields), raw_change(line))
            else:
                of_pair = found[line] = {}
    return found


def raw_change(line: str) -> Change:
    """Return the change of a line of git's raw format (git-diff-tree(1))."""
    old_mode, new_mode, old, new, _ = line[1:].split(" ")
    return Change(_entry(old_mode, old), _entry(new_mode, new))


def _add(found: dict[str, Change], path: str, change: Change) -> None:
    """Add a change; a file that became a link may come as a removal and an addition."""
    known = found.get(path)
    old, new = change
    found[path] = Change(old or (known and known.old), new or (known and known.new))


def _entry(mode: str, oid: str) -> Entry | None:
    return None if mode == "000000" else (int(mode, 8), oid)


def _side(file: pygit2.DiffFile) -> Entry | None:
    mode = int(file.mode)
    return (mode, str(file.id)) if mode else None


def entry_at(git: pygit2.Repository, tree: pygit2.Tree, path: str) -> Entry | None:
    """Return the entry at a path.

    Raises:
        KeyError: a tree on the way there is missing; that is not the same as "nothing".
    """
    *folders, name = path.split("/")
    for folder in folders:
        if folder not in tree:
            return None
        inner = tree[folder]
        if int(inner.filemode) != TREE:
            return None
        tree = cast("pygit2.Tree", git[inner.id])
    if name not in tree:
        return None
    found = tree[name]
    return int(found.filemode), str(found.id)
