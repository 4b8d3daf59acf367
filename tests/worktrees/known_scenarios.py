"""Ways for work to reach the target or not; every simpler rule is wrong about some.

With those of `file_scenarios` they are forty-one.
"""

from __future__ import annotations

from tests.worktrees.scenario import told
from tests.worktrees.story import Story


@told("no-commits", "nothing was committed yet")
def fresh_branch(s: Story) -> None:
    s.moved()


@told("merged", "every commit is in main, up to {at}")
def fast_forward(s: Story) -> str:
    s.two()
    s.branch("main", "b")
    return s.heads["b"]


@told("merged", "every commit is in main since {at}")
def true_merge(s: Story) -> str:
    s.two()
    s.moved()
    return s.merge("b")


@told("merged", "every change is in main since {at} (squash)")
def squash(s: Story) -> str:
    s.two()
    return s.squash("b")


@told("merged", "every change is in main since {at} (squash)")
def squash_after_main_moved(s: Story) -> str:
    s.two()
    s.moved()
    return s.squash("b")


@told("merged", "every change is in main since {at} (squash)")
def squash_before_main_moved(s: Story) -> str:
    s.two()
    at = s.squash("b")
    s.moved()
    return at


@told("merged", "every change is in main since {at} (squash)")
def squash_with_other_context(s: Story) -> str:
    s.two()
    s.edited("main", 5, "near")
    return s.squash("b")


@told("history", "every change was in main at {at} (squash), and was changed later")
def squash_then_overwritten(s: Story) -> str:
    s.two()
    at = s.squash("b")
    s.edited("main", 3, "rewritten")
    return at


@told("history", "every change was in main at {at} (squash), and was changed later")
def squash_with_other_context_then_overwritten(s: Story) -> str:
    s.two()
    s.edited("main", 5, "near")
    at = s.squash("b")
    s.edited("main", 3, "rewritten")
    return at


@told("unmerged", "2 commits not in main")
def squash_with_other_resolution(s: Story) -> None:
    s.two()
    s.edited("main", 3, "main one")
    s.files["main"]["f"] = s.files["b"]["f"]
    s.write("main", "new", "new\n")
    s.edited("main", 3, "mix of both")


@told("merged", "every change is in main since {at}")
def rebase(s: Story) -> str:
    first, second = s.two()
    s.moved()
    s.pick(first)
    return s.pick(second)


@told("history", "every change was in main at {at}, and was changed later")
def rebase_then_overwritten(s: Story) -> str:
    first, second = s.two()
    s.moved()
    s.pick(first)
    at = s.pick(second)
    s.edited("main", 3, "rewritten")
    return at


@told("history", "each commit was in main, the last at {at}, and was changed later")
def rebase_with_an_edit_between(s: Story) -> str:
    first, second = s.two()
    s.moved()
    s.pick(first)
    s.edited("main", 3, "rewritten")
    return s.pick(second)


@told("unmerged", "1 commit after the merge in {at}")
def one_of_two_picked(s: Story) -> str:
    first, _ = s.two()
    s.moved()
    return s.pick(first)


@told("merged", "every change is in main since {at} (squash)")
def squash_and_an_empty_commit(s: Story) -> str:
    s.two()
    s.commit("b")
    return s.squash("b")


@told("empty", "its commit changes nothing")
def only_an_empty_commit(s: Story) -> None:
    s.commit("b")
    s.moved()


@told("undone", "4 commits not in main, which undo each other")
def work_undone_on_the_branch(s: Story) -> None:
    first, second = s.two()
    s.revert(second, "b")
    s.revert(first, "b")
    s.moved()


@told("history", "merged in {at} (squash), reverted in {out}")
def squash_then_reverted(s: Story) -> str:
    s.two()
    at = s.squash("b")
    s.out = s.revert(at)
    return at


@told("merged", "merged in {at}, reverted in {out}")
def true_merge_then_reverted(s: Story) -> str:
    s.two()
    s.moved()
    at = s.merge("b")
    s.out = s.revert(at)
    return at


@told("unmerged", "1 commit after the merge in {at}")
def squash_then_new_commits(s: Story) -> str:
    s.two()
    at = s.squash("b")
    s.write("b", "extra", "e\n")
    s.commit("b")
    return at


@told("unmerged", "1 commit after the merge in {at}")
def squash_then_amended(s: Story) -> str:
    first, _ = s.two()
    at = s.squash("b")
    files = dict(s.files["b"])
    s.branch("b", first)
    s.files["b"] = files
    s.edited("b", 20, "B two better")
    return at


@told("unmerged", "2 commits not in main")
def picked_and_an_evil_merge(s: Story) -> None:
    own = s.edited("b", 3, "B one")
    s.edited("main", 30, "m")
    _evil_merge(s)
    s.pick(own)


@told("unmerged", "1 commit not in main")
def only_an_evil_merge(s: Story) -> None:
    s.moved()
    _evil_merge(s)


def _evil_merge(s: Story) -> None:
    """Main merged into the branch, with a file that neither had."""
    main, tip = s.heads["main"], s.heads["b"]
    s.merge("main", "b")
    files = dict(s.files["b"])
    s.branch("b", tip)
    s.files["b"] = files
    s.write("b", "evil", "only here\n")
    s.commit("b", main)


@told("merged", "every change is in main since {at} (squash)")
def main_merged_into_the_branch_then_squash(s: Story) -> str:
    s.two()
    s.moved()
    s.merge("main", "b")
    s.edited("b", 10, "B three")
    return s.squash("b")


@told("unmerged", "2 commits not in main")
def force_pushed_over(s: Story) -> None:
    s.two()
    s.squash("b")
    s.branch("main", s.base)
    s.edited("main", 15, "rewrite")


@told("unmerged", "2 commits not in main")
def almost_the_same(s: Story) -> None:
    s.two()
    s.edit("main", 3, "B one!")
    s.edit("main", 20, "B two")
    s.write("main", "new", "new\n")
    s.commit("main")


@told("unmerged", "2 commits not in main")
def criss_cross_that_undoes_main(s: Story) -> None:
    criss_cross(s)
    s.edited("b", 20, "line 20")


def criss_cross(s: Story) -> None:
    """Each merged into the other: seen from the branch's own commit, undoing main is no change."""
    main = s.edited("main", 20, "X")
    own = s.edited("b", 3, "B")
    while own > main:  # whoever takes the first of the two bases takes the misleading one
        s.branch("b", s.base)
        own = s.edited("b", 3, "B")
    s.merge(own)
    s.merge(main, "b")


@told("merged", "every change is in main since {at}")
def two_parts_squashed_one_by_one(s: Story) -> str:
    first, second = s.two()
    s.pick(first)
    return s.pick(second)


@told("unmerged", "1 commit not in main, and no history in common")
def orphan(s: Story) -> None:
    del s.heads["b"]
    s.write("b", "o", "o\n")
    s.commit("b")
