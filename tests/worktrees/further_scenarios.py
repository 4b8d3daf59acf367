"""What else can happen to a branch on its way into the target."""

from __future__ import annotations

from tests.worktrees.known_scenarios import criss_cross
from tests.worktrees.scenario import told
from tests.worktrees.story import FILE, PROGRAM, Story, numbered


@told("merged", "every change is in main since {at}")
def pull_request_merged_after_a_rebase(s: Story) -> str:
    first, second = s.two()
    s.moved()
    s.branch("rebased", "main")
    s.pick(first, "rebased")
    s.pick(second, "rebased")
    return s.merge("rebased")


@told("unmerged", "1 commit after the merge in {at}")
def worked_on_after_a_true_merge(s: Story) -> str:
    s.two()
    s.moved()
    at = s.merge("b")
    s.edited("b", 30, "more")
    return at


@told("empty", "its commit changes nothing")
def only_main_merged_in(s: Story) -> None:
    s.moved()
    s.merge("main", "b")


@told("unmerged", "1 commit not in main")
def main_s_change_kept_out_by_a_merge(s: Story) -> None:
    main = s.moved()
    s.commit("b", main)


@told("merged", "merging adds nothing to main")
def criss_cross_then_squash(s: Story) -> None:
    criss_cross(s)
    s.edited("b", 10, "more")
    s.squash("b")


@told("history", "every change was in main at {at}, and was changed later")
def criss_cross_then_squash_then_overwritten(s: Story) -> str:
    criss_cross(s)
    s.edited("b", 10, "more")
    at = s.squash("b")
    s.edited("main", 10, "rewritten")
    return at


@told("unmerged", "1 commit after the merge in {at}")
def removed_after_its_rename_was_squashed(s: Story) -> str:
    s.rename("b", "f", "f2")
    s.commit("b")
    at = s.squash("b")
    s.files["b"].pop("f2")
    s.commit("b")
    return at


@told("merged", "every change is in main since {at} (squash)")
def files_removed_and_renamed(s: Story) -> str:
    s.files["b"].pop("g")
    s.commit("b")
    s.rename("b", "f", "f2")
    s.commit("b")
    s.moved()
    return s.squash("b")


@told("unmerged", "2 commits not in main, which undo each other")
def picked_and_its_undoing_not(s: Story) -> None:
    first = s.edited("b", 3, "B one")
    s.revert(first, "b")
    s.moved()
    s.pick(first)


@told("history", "each commit was in main, the last at {at}, and was changed later")
def picked_and_undone_in_both(s: Story) -> str:
    first = s.edited("b", 3, "B one")
    s.revert(first, "b")
    s.moved()
    return s.revert(s.pick(first))


@told("no-commits", "nothing was committed yet")
def reset_to_before_its_base(s: Story) -> None:
    s.base = s.moved()


@told("unmerged", "1 commit not in main")
def a_link_instead_of_a_file(s: Story) -> None:
    s.write("b", "g", "f", 0o120000)
    s.commit("b")
    s.write("main", "g", "p.py", 0o120000)
    s.commit("main")


@told("history", "every change was in main at {at}, and was changed later")
def rename_and_edit_then_overwritten(s: Story) -> str:
    s.edited("main", 30, "main moved")
    s.rename("b", "f", "f2")
    s.edited("b", 3, "B", "f2")
    s.rename("main", "f", "f2")
    at = s.edited("main", 3, "B", "f2")
    s.edited("main", 3, "rewritten", "f2")
    return at


@told("unmerged", "1 commit not in main")
def renamed_and_edited_but_not_made_a_program(s: Story) -> None:
    _renamed_and_edited(s, "b", PROGRAM)
    _renamed_and_edited(s, "main")


@told("history", "every change was in main at {at}, and was changed later")
def renamed_edited_and_made_a_program_until_that_was_undone(s: Story) -> str:
    _renamed_and_edited(s, "b", PROGRAM)
    at = _renamed_and_edited(s, "main", PROGRAM)
    _renamed_and_edited(s, "main")
    return at


@told("unmerged", "1 commit after the merge in {at}")
def picked_but_not_as_a_program(s: Story) -> str:
    s.edited("b", 3, "B one", "g")
    _renamed_and_edited(s, "b", PROGRAM)
    at = s.edited("main", 3, "B one", "g")
    s.edited("main", 3, "rewritten", "g")
    _renamed_and_edited(s, "main")
    return at


def _renamed_and_edited(s: Story, branch: str, mode: int = FILE) -> str:
    s.files[branch].pop("f", None)
    s.write(branch, "f2", numbered(40).replace("line 3\n", "B\n"), mode)
    return s.commit(branch)
