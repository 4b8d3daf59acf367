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


@told("merged", "merging adds nothing to main at {at}")
def criss_cross_then_squash(s: Story) -> str:
    criss_cross(s)
    s.edited("b", 10, "more")
    return s.squash("b")


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


@told("undone", "2 commits not in main, which undo each other")
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


@told("unmerged", "1 commit not in main")
def added_as_no_program_beside_a_rename(s: Story) -> None:
    for branch, mode in (("b", FILE), ("main", PROGRAM)):
        s.write(branch, "new", "new\n", mode)
        _renamed_and_edited(s, branch)


@told("merged", "merged in {at}, reverted in {out}")
def fast_forward_then_reverted(s: Story) -> str:
    first, second = s.two()
    s.branch("main", "b")
    s.revert(second)
    s.out = s.revert(first)
    return second


@told("history", "merged in {at}, reverted in {out}")
def rebase_then_each_commit_reverted(s: Story) -> str:
    first, second = s.two()
    s.moved()
    s.pick(first)
    at = s.pick(second)
    s.out = s.revert(s.heads["main"])
    s.out = s.revert(str(s.commit_of(at).parent_ids[0]))
    return at


@told("history", "merged in {at} (squash), reverted in {out}")
def reverted_after_main_moved_and_before_it_moves_on(s: Story) -> str:
    s.two()
    s.edited("main", 30, "near in the same file")
    at = s.squash("b")
    s.edited("main", 10, "between")
    s.out = s.revert(at)
    s.edited("main", 3, "written anew")
    return at


@told("merged", "every commit is in main since {at}")
def reverted_and_brought_back(s: Story) -> str:
    s.two()
    s.moved()
    at = s.merge("b")
    s.revert(s.revert(at))
    return at


@told("history", "merged in {at} (squash), reverted in {out}")
def reverted_brought_back_and_reverted_again(s: Story) -> str:
    s.two()
    at = s.squash("b")
    back = s.revert(s.revert(at))
    s.out = s.revert(back)
    return at


@told("history", "every change was in main at {at} (squash), and was changed later")
def only_a_part_reverted(s: Story) -> str:
    s.two()
    at = s.squash("b")
    s.edited("main", 3, "line 3")
    return at


@told("merged", "merged in {at} with none of its changes, as by `merge -s ours`")
def merged_by_ours(s: Story) -> str:
    s.two()
    s.moved()
    s.out = s.commit("main", s.heads["b"])
    return s.out


@told("merged", "every commit is in main since {at}")
def merged_by_ours_after_a_squash(s: Story) -> str:
    s.two()
    s.squash("b")
    return s.commit("main", s.heads["b"])


@told("merged", "every commit is in main since {at}")
def merged_by_ours_and_squashed_later(s: Story) -> str:
    s.two()
    s.moved()
    at = s.commit("main", s.heads["b"])
    s.branch("again", s.base)
    s.files["again"] = dict(s.files["b"])
    s.commit("again")
    s.squash("again")
    return at


@told("merged", "merged in {at} with none of its changes, as by `merge -s ours`")
def merged_through_another_branch_that_left_it_out(s: Story) -> str:
    s.two()
    s.branch("dev", s.base)
    s.edited("dev", 30, "dev")
    s.commit("dev", s.heads["b"])
    s.moved()
    s.out = s.merge("dev")
    return s.out


@told("merged", "merged in {at}, reverted in {out}")
def merged_through_another_branch_then_reverted(s: Story) -> str:
    s.two()
    s.branch("dev", s.base)
    s.edited("dev", 30, "dev")
    s.merge("b", "dev")
    s.moved()
    at = s.merge("dev")
    s.out = s.revert(at)
    return at


@told("merged", "merged in {at}, reverted in {out}")
def a_new_file_merged_then_removed_again(s: Story) -> str:
    s.write("b", "only", "only\n")
    s.commit("b")
    s.moved()
    at = s.merge("b")
    s.files["main"].pop("only")
    s.out = s.commit("main")
    return at


@told("undone", "2 commits not in main, which undo each other")
def a_commit_and_its_own_revert(s: Story) -> None:
    s.revert(s.edited("b", 3, "B one"), "b")


def _renamed_and_edited(s: Story, branch: str, mode: int = FILE) -> str:
    s.files[branch].pop("f", None)
    s.write(branch, "f2", numbered(40).replace("line 3\n", "B\n"), mode)
    return s.commit(branch)
