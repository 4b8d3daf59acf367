"""Rules of the proof that a branch's work is in the target.

`merged` and `history` promise that every change that the branch's tip makes to files, their names
and their modes is in a commit that the target contains. They promise nothing about messages, or
about intermediate states that a squash left out. Nothing is guessed from names, messages or
similarity: each verdict was tested by a merge that added nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from ctui.git.repository.repository import Target
from ctui.git.repository.target import short_ref
from ctui.worktrees.model import Verdict
from ctui.worktrees.proof.absorption import Absorption
from ctui.worktrees.proof.holding import Found, first_holding
from ctui.worktrees.proof.own_work import OwnWork, keeps_a_tree
from ctui.worktrees.proof.question import Question
from ctui.worktrees.proof.reverts import Merge, Reverts, merge_of
from ctui.worktrees.proof.scratch import Scratch
from ctui.worktrees.proof.target_history import Row, TargetHistory
from ctui.worktrees.proof.tree_changes import Changes, Entry

if TYPE_CHECKING:
    import pygit2

_PICKED_COMMITS = 100
_EARLIER_COMMITS = 20
_BRIEF = 7
"""Hex digits of a commit in a sentence."""


def commits_text(count: int) -> str:
    return f"{count} commit{'' if count == 1 else 's'}"


class Judge:
    """Judge of branches against one target."""

    def __init__(self, scratch: Scratch, target: Target, history: TargetHistory) -> None:
        self._scratch = scratch
        self._target = target.commit
        self._history = history
        self._name = short_ref(target.ref)

    def verdict(self, question: Question, own: OwnWork) -> Verdict:
        """Judge one branch.

        Raises:
            KeyError, ValueError, pygit2.GitError: an object that is needed cannot be read.
        """
        if question.tip == question.base:
            return Verdict("no-commits", "nothing was committed yet")
        if own.ahead == 0:
            return self._contained(question)
        case = _Case(self._scratch, self._history, self._target, self._name, own)
        return case.verdict(question.base)

    def _contained(self, question: Question) -> Verdict:
        """Judge a branch that has nothing but commits of the target."""
        if question.base is not None:
            fresh = bool(self._scratch.graph.descendant_of(question.base, question.tip))
        else:
            on_line = self._history.truncated or self._history.on_line(question.tip)
            fresh = question.created_only and on_line
        if fresh:
            return Verdict("no-commits", "nothing was committed yet")
        return self._merge_of(question) or Verdict(
            "merged",
            f"every commit is in {self._name}, up to {question.tip[:_BRIEF]}",
            question.tip,
        )

    def _merge_of(self, question: Question) -> Verdict | None:
        """Return a verdict that names the merge of a branch, and what became of it, if found."""
        merge = merge_of(self._scratch, self._history, question.tip, question.base)
        if merge is None:
            return None
        reverts = Reverts(self._scratch, self._history, Absorption(self._scratch))
        at = self._history.rows[merge.rank].commit if merge.rank >= 0 else question.tip
        if out := reverts.reverted(merge, [question.tip]):
            return reverted_verdict("merged", at, at[:_BRIEF], out)
        if at == question.tip:
            return None  # a fast-forward
        if reverts.kept_out(merge, [question.tip]):
            text = f"merged in {at[:_BRIEF]} with none of its changes, as by `merge -s ours`"
            return Verdict("merged", text, at, at)
        return Verdict("merged", f"every commit is in {self._name} since {at[:_BRIEF]}", at)


def reverted_verdict(kind: Literal["merged", "history"], at: str, said: str, out: str) -> Verdict:
    """Return the verdict for what was merged at a commit, and taken out again by another."""
    return Verdict(kind, f"merged in {said}, reverted in {out[:_BRIEF]}", at, out)


class _Case:
    """One branch with commits that the target does not have."""

    def __init__(
        self, scratch: Scratch, history: TargetHistory, target: str, name: str, own: OwnWork
    ) -> None:
        self._scratch = scratch
        self._history = history
        self._target = target
        self._name = name
        self._own = own
        self._absorption = Absorption(scratch)
        self._reverts = Reverts(scratch, history, self._absorption)
        self._tree = scratch.tree
        self._changes = scratch.changes

    def verdict(self, began: str | None) -> Verdict:
        own = self._own
        if not own.bases:
            return self._unmerged(", and no history in common")
        if not own.commits:
            return self._unmerged(", too many to look at")
        if own.joined:
            return self._unmerged(", some with a history of their own")
        trees = [self._tree(base) for base in own.bases]
        tip = self._tree(own.tip)
        if all(tree.id == tip.id for tree in trees):
            if all(keeps_a_tree(self._scratch, commit) for commit in own.commits):
                those = "its commit changes" if own.ahead == 1 else "its commits change"
                return Verdict("empty", f"{those} nothing")
            return self._picked() or self._undone()
        if len(trees) > 1:
            return self._crossed(trees, tip) or self._unmerged("")
        changes = self._changes(trees[0], tip)
        found = self._held(changes) or self._picked() or self._earlier(began)
        return found or self._unmerged("")

    def _held(self, changes: Changes) -> Verdict | None:
        """Return a verdict if the target, or one of its commits, holds the whole branch."""
        tip = self._own.tip
        now = self._history.now(changes)
        if now.gone:
            here = not now.missing and self._absorption.commit_holds(self._target, tip)
        else:
            here = self._absorption.holds(now, changes)
        found = self._first_holding(changes, partial(self._commit_holds, commit=tip))
        if found is None:
            return self._adds_nothing() if here else None
        row = self._history.rows[found.rank]
        squash = " (squash)" if self._is_squash(row, found.before, changes) else ""
        since = f"{row.commit[:_BRIEF]}{squash}"
        if here:
            return Verdict("merged", f"every change is in {self._name} since {since}", row.commit)
        text = f"every change was in {self._name} at {since}, and was changed later"
        return self._was_merged(found.rank, since, text)

    def _was_merged(self, rank: int, said: str, text: str) -> Verdict:
        """Return the verdict for what the target had at a row, and has not any more."""
        at = self._history.rows[rank].commit
        merge = Merge(rank, self._tree(self._own.bases[0]), self._tree(self._own.tip))
        if out := self._reverts.reverted(merge, self._own.bases):
            return reverted_verdict("history", at, said, out)
        return Verdict("history", text, at)

    def _commit_holds(self, row: Row, commit: str) -> bool:
        return self._absorption.commit_holds(row.commit, commit)

    def _first_holding(
        self, changes: Changes, merges_clean: Callable[[Row], bool], since: int = 0
    ) -> Found | None:
        return first_holding(
            self._history, self._absorption, changes, self._own.bases, merges_clean, since
        )

    def _is_squash(self, row: Row, before: Mapping[str, Entry | None], changes: Changes) -> bool:
        """Return True if this commit brought the work of several, none of which was there."""
        real = [commit for commit in self._own.commits if not keeps_a_tree(self._scratch, commit)]
        if len(row.parents) != 1 or not before.keys() >= changes.keys() or len(real) < 2:
            return False
        if not self._own.linear:
            return True
        base = self._tree(self._own.bases[0])
        earlier = self._changes(base, self._tree(real[0].parent_ids[0]))
        differing = {path: before.get(path, change.old) for path, change in earlier.items()}
        return not self._absorption.holds_all(differing, earlier)

    def _crossed(self, bases: Sequence[pygit2.Tree], tip: pygit2.Tree) -> Verdict | None:
        """Judge a branch with several common ancestors, by a merge of whole commits alone."""
        changes = self._changes(bases[0], tip)
        shared = dict(changes)
        for tree in bases[1:]:
            other = self._changes(tree, tip)
            shared = {path: change for path, change in shared.items() if other.get(path) == change}
        here = not self._history.now(shared).missing and self._absorption.commit_holds(
            self._target, self._own.tip
        )
        if here:
            return self._adds_nothing()
        for moment in self._history.moments(changes, self._own.bases):
            row = self._history.rows[moment.rank]
            if shared.keys().isdisjoint(moment.missing) and self._commit_holds(row, self._own.tip):
                at = row.commit[:_BRIEF]
                text = f"every change was in {self._name} at {at}, and was changed later"
                return self._was_merged(moment.rank, at, text)
        return None

    def _picked(self) -> Verdict | None:
        """Return a verdict if each commit adds nothing when it is picked onto some row, or None.

        The rows are searched in the commits' order: a row that never had a change does not hold
        its undoing.
        """
        real = [commit for commit in self._own.commits if not keeps_a_tree(self._scratch, commit)]
        if not real or len(real) > _PICKED_COMMITS or not self._own.linear:
            return None
        rank = 0
        for commit in reversed(real):
            found = self._picked_at(commit, rank)
            if found is None:
                return None
            rank = found
        at = self._history.rows[rank].commit[:_BRIEF]
        text = f"each commit was in {self._name}, the last at {at}, and was changed later"
        return self._was_merged(rank, at, text)

    def _picked_at(self, commit: pygit2.Commit, since: int) -> int | None:
        old, new = self._tree(commit.parent_ids[0]), self._tree(commit.id)

        def adds_nothing(row: Row) -> bool:
            return self._absorption.tree_holds(old, self._tree(row.commit), new)

        found = self._first_holding(self._changes(old, new), adds_nothing, since)
        return found.rank if found else None

    def _earlier(self, began: str | None) -> Verdict | None:
        """Return a verdict if it was merged once and worked on since, and that is cheap to find."""
        own, history = self._own, self._history
        if not own.linear:
            return None
        on_line = history.truncated or history.on_line(own.bases[0])
        if began not in {None, own.bases[0]} and not on_line:
            # It was merged, so its own commits are behind the merge's second parent.
            return self._after_merge(own.ahead, history.first_with(own.bases[0]))
        base = self._tree(own.bases[0])
        first = self._changes(base, self._tree(own.commits[-1].id))
        if not first or not all(history.touched(path) for path in first):
            return None
        for later, commit in enumerate(own.commits[1 : _EARLIER_COMMITS + 1], start=1):
            changes = self._changes(base, self._tree(commit.id))
            found = self._first_holding(changes, partial(self._commit_holds, commit=str(commit.id)))
            if found is not None:
                return self._after_merge(later, found.rank)
        return None

    def _after_merge(self, count: int, rank: int) -> Verdict | None:
        if rank >= len(self._history.rows):
            return None
        commit = self._history.rows[rank].commit
        text = f"{commits_text(count)} after the merge in {commit[:_BRIEF]}"
        return Verdict("unmerged", text, commit)

    def _adds_nothing(self) -> Verdict:
        text = f"merging adds nothing to {self._name} at {self._target[:_BRIEF]}"
        return Verdict("merged", text, self._target)

    def _undone(self) -> Verdict:
        """Return the verdict for commits that leave all files as they were."""
        return Verdict("undone", self._unmerged(", which undo each other").evidence)

    def _unmerged(self, reason: str) -> Verdict:
        text = f"{commits_text(self._own.ahead)} not in {self._name}{reason}"
        return Verdict("unmerged", text)
