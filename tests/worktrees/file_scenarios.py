"""What the same change, and another one, look like in files of each kind."""

from __future__ import annotations

from tests.worktrees.scenario import told
from tests.worktrees.story import PROGRAM, SUBMODULE, Story


@told("unmerged", "1 commit not in main")
def other_indentation(s: Story) -> None:
    text = "def f(x):\n    if x:\n        x = 1\n{}y()\n    return x\n"
    s.write("b", "p.py", text.format("        "))
    s.commit("b")
    s.write("main", "p.py", text.format("    "))
    s.commit("main")


@told("merged", "every change is in main since {at}")
def same_binary(s: Story) -> str:
    s.write("b", "bin", b"\0\1branch")
    s.commit("b")
    s.moved()
    return s.squash("b")


@told("unmerged", "1 commit not in main")
def another_binary(s: Story) -> None:
    s.write("b", "bin", b"\0\1branch")
    s.commit("b")
    s.write("main", "bin", b"\0\1MAIN!!")
    s.commit("main")


@told("merged", "every change is in main since {at}")
def rename_and_edit(s: Story) -> str:
    s.rename("b", "f", "f2")
    s.edited("b", 3, "B", "f2")
    s.moved()
    s.rename("main", "f", "f2")
    return s.edited("main", 3, "B", "f2")


@told("merged", "every change is in main since {at} (squash)")
def renamed_in_main_after_the_squash(s: Story) -> str:
    s.two()
    at = s.squash("b")
    s.rename("main", "f", "f9")
    s.commit("main")
    return at


@told("merged", "every change is in main since {at}")
def executable_bit(s: Story) -> str:
    s.write("b", "g", "g\n" * 5, PROGRAM)
    s.commit("b")
    s.moved()
    return s.squash("b")


@told("unmerged", "1 commit not in main")
def executable_bit_lost(s: Story) -> None:
    s.write("b", "g", "g\nB\ng\ng\ng\n", PROGRAM)
    s.commit("b")
    s.write("main", "g", "g\nB\ng\ng\ng\n")
    s.commit("main")


@told("unmerged", "1 commit after the merge in {at}")
def submodule_moved_on(s: Story) -> str:
    s.write("b", "sub", "1" * 40, SUBMODULE)
    s.commit("b")
    s.write("b", "sub", "2" * 40, SUBMODULE)
    s.commit("b")
    s.write("main", "sub", "1" * 40, SUBMODULE)
    return s.commit("main")


@told("unmerged", "1 commit not in main")
def a_merge_driver_that_keeps_ours(s: Story) -> None:
    s.write("main", ".gitattributes", "g merge=ours\n")
    s.base = s.commit("main")
    s.branch("b", "main")
    s.git.config["merge.ours.driver"] = "true"
    s.edited("b", 1, "B", "g")
    s.edited("main", 1, "M", "g")


@told("merged", "every change is in main since {at}")
def carriage_returns(s: Story) -> str:
    s.write("b", "crlf", "a\r\nb\r\n")
    s.commit("b")
    s.moved()
    return s.squash("b")


@told("unmerged", "1 commit not in main")
def only_carriage_returns(s: Story) -> None:
    s.write("b", "g", "g\r\n" * 5)
    s.commit("b")
    s.moved()


@told("unmerged", "1 commit not in main")
def same_text_at_another_place(s: Story) -> None:
    block = ("x\n" * 6 + "y\n") * 2
    s.write("main", "d", block)
    s.base = s.commit("main")
    s.branch("b", "main")
    s.write("b", "d", block[:6] + "NEW\n" + block[6:])
    s.commit("b")
    s.write("main", "d", block[:20] + "NEW\n" + block[20:])
    s.commit("main")
