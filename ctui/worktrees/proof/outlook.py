"""Outlook on landing: the lines that it would bring, and its conflicts, for many branches at once.

The merge is the one that a landing makes (`git merge-tree`, without attributes or drivers), in the
scratch repository of the proof, by one process for all branches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from ctui.git.process.version import git_version
from ctui.worktrees.proof.own_work import OwnWork
from ctui.worktrees.proof.scratch import Scratch

_MANY_MERGES = (2, 39)
"""First version of git with `merge-tree --stdin`."""

_LARGE = "1m"
"""Larger files count no lines: their diff would take seconds."""

_Key = TypeVar("_Key")


class Outlook(NamedTuple):
    """Difference that a landing would make."""

    added: int | None = None
    """Lines; None if that is not known."""
    removed: int | None = None
    conflict: bool | None = None
    """True if it would conflict; None if that is not known."""
    files: int | None = None


class _Lines(NamedTuple):
    """Difference between two trees."""

    added: int = 0
    removed: int = 0
    files: int = 0


def outlooks(scratch: Scratch, target: str, works: Mapping[_Key, OwnWork]) -> dict[_Key, Outlook]:
    """Return the outlook of each branch that has a history in common with the target.

    Args:
        scratch: where it is computed.
        target: a commit.
        works: the branches, with commits that the target has not.
    """
    asked = {key: own for key, own in works.items() if own.bases}
    if not asked:
        return {}
    lines = _lines(scratch, asked.values())
    conflicts = _conflicts(scratch, target, [own.tip for own in asked.values()])
    found = {}
    for key, own in asked.items():
        added, removed, files = lines.get(own.tip, (None, None, None))
        found[key] = Outlook(added, removed, conflicts.get(own.tip), files)
    return found


def _lines(scratch: Scratch, works: Iterable[OwnWork]) -> dict[str, _Lines]:
    """Return the lines and files that each tip changes since it left the target."""
    trees = {
        own.tip: (str(scratch.tree(own.bases[0]).id), str(scratch.tree(own.tip).id))
        for own in works
    }
    pairs = {f"{old} {new}": _Lines() for old, new in trees.values()}
    output = scratch.git(
        *("diff-tree", "--stdin", "-r", "--numstat", "--no-renames", "--ignore-submodules=all"),
        given="".join(f"{pair}\n" for pair in pairs).encode(),
        config={"core.bigFileThreshold": _LARGE},
        needed=False,
    )
    pair, told = "", set()
    for line in output.decode("utf-8", "replace").splitlines():
        added, tab, rest = line.partition("\t")
        if not tab:
            pair = line.strip()
            told.add(pair)
        elif pair in pairs:
            # A binary file has a dash in the place of each number.
            lines = [int(text) if text.isdigit() else 0 for text in (added, rest.split("\t")[0])]
            before = pairs[pair]
            pairs[pair] = _Lines(
                before.added + lines[0], before.removed + lines[1], before.files + 1
            )
    if not output:
        return {}
    same = {f"{old} {new}" for old, new in trees.values() if old == new}
    known = told | same
    return {tip: pairs[key] for tip, both in trees.items() if (key := " ".join(both)) in known}


def _conflicts(scratch: Scratch, target: str, tips: list[str]) -> dict[str, bool]:
    """Return for each tip if a merge into the target would conflict."""
    if git_version() < _MANY_MERGES:
        return {}
    output = scratch.git(
        *("merge-tree", "--stdin", "-z", "--no-messages", "--name-only"),
        given="".join(f"{target} {tip}\n" for tip in tips).encode(),
        needed=False,
    )
    found: dict[str, bool] = {}
    fields = iter(output.split(b"\0"))
    for tip in tips:
        # Status, tree, the names of files in conflict, and an empty field (git-merge-tree(1)).
        status = next(fields, b"")
        if status not in {b"0", b"1"}:
            break
        found[tip] = status == b"0"
        next(fields, b"")
        while next(fields, b""):
            pass
    return found
