"""Commits that a branch has and the target has not, and where they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from ctui.worktrees.proof.scratch import Scratch

if TYPE_CHECKING:
    import pygit2

_COMMITS = 2_000
"""Limit of own commits; more of them are counted and not read."""


class OwnWork(NamedTuple):
    """One branch against one target."""

    tip: str
    ahead: int
    behind: int
    bases: tuple[str, ...] = ()
    """The best common ancestors; none for unrelated histories, several after a criss-cross."""
    commits: tuple[pygit2.Commit, ...] = ()
    """Commits, newest first; none if there are too many."""

    @property
    def linear(self) -> bool:
        return all(len(commit.parent_ids) == 1 for commit in self.commits)

    @property
    def joined(self) -> bool:
        """True if one of its commits begins another history, such as a stash's untracked files."""
        return not all(commit.parent_ids for commit in self.commits)


def own_work(scratch: Scratch, tip: str, target: str) -> OwnWork:
    """Compare `tip` with the target, and read the commits that only `tip` has.

    Raises:
        KeyError, ValueError, pygit2.GitError: something in its history cannot be read.
    """
    graph = scratch.graph
    ahead, behind = graph.ahead_behind(tip, target)
    if ahead == 0:
        return OwnWork(tip, 0, behind, (tip,))
    if ahead <= _COMMITS and (line := _line(scratch, tip, ahead)):
        return OwnWork(tip, ahead, behind, (str(line[-1].parent_ids[0]),), line)
    # pygit2 declares that it is never None, but it is for unrelated histories.
    best = cast("pygit2.Oid | None", graph.merge_base(tip, target))
    if best is None:
        return OwnWork(tip, ahead, behind)
    if ahead > _COMMITS:
        return OwnWork(tip, ahead, behind, (str(best),))
    own = _walk(graph, tip, target)
    return OwnWork(tip, ahead, behind, _bases(graph, own, str(best)), own)


def _line(scratch: Scratch, tip: str, count: int) -> tuple[pygit2.Commit, ...] | None:
    """Return `tip` and what is before it, newest first, or None if they are not one line.

    If all commits but these are the target's, their last parent is the only common ancestor.
    """
    found: list[pygit2.Commit] = []
    for _ in range(count):
        commit = scratch.commit(found[-1].parent_ids[0] if found else tip)
        if len(commit.parent_ids) != 1:
            return None
        found.append(commit)
    return tuple(found)


def _walk(graph: pygit2.Repository, tip: str, hidden: str) -> tuple[pygit2.Commit, ...]:
    from pygit2.enums import SortMode

    walker = graph.walk(tip, SortMode.TOPOLOGICAL)
    walker.hide(hidden)
    return tuple(walker)


def _bases(graph: pygit2.Repository, own: tuple[pygit2.Commit, ...], best: str) -> tuple[str, ...]:
    """Return the common ancestors that are not ancestors of one another."""
    ids = {commit.id for commit in own}
    edge = {str(at) for commit in own for at in commit.parent_ids if at not in ids}
    found = [best]
    for commit in sorted(edge):
        if not any(str(graph.merge_base(commit, other)) == commit for other in found):
            found = [other for other in found if str(graph.merge_base(commit, other)) != other] + [
                commit
            ]
    return tuple(sorted(found))


def keeps_a_tree(scratch: Scratch, commit: pygit2.Commit) -> bool:
    """Return True if its files are exactly those of one of its parents."""
    return any(scratch.commit(at).tree_id == commit.tree_id for at in commit.parent_ids)
