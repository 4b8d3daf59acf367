"""Before a task is removed, it is said what only its worktree has, and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from ctui.tui.board.board import Board
from ctui.tui.board.removal_facts import removal_facts
from ctui.worktrees.model import Changes, Verdict
from tests.tui.test_board import status

NOTHING = Verdict("no-commits", "nothing was committed yet")
ONE = Verdict("unmerged", "1 commit not in main")


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        (Changes(), ONE, "1 commit not in main"),
        (Changes(modified=1), NOTHING, "1 changed file"),
        (Changes(staged=1, untracked=1), ONE, "2 changed files, 1 commit not in main"),
        (None, NOTHING, "not proven safe"),
    ],
)
def test_what_only_an_unclean_worktree_has_is_said(
    changes: Changes | None, verdict: Verdict, said: str
) -> None:
    board = Board("/r/.git")
    unclean = status("a", "unclean", changes=changes)
    board.take_statuses([msgspec.structs.replace(unclean, verdict=verdict)])
    assert removal_facts(board.items()[0])[2:] == [f"It is unclean: {said}.", "The branch a stays."]


def test_why_a_worktree_may_go_is_said_with_its_commit() -> None:
    """S7, G22: the question before a removal has the sentence that every list has."""
    board = Board("/r/.git")
    verdict = Verdict("merged", "every change is in main since 3f2a91c (squash)", "3f2a91c")
    board.take_statuses([msgspec.structs.replace(status("a", "merged"), verdict=verdict)])
    assert removal_facts(board.items()[0])[2:] == [
        "It is merged: every change is in main since 3f2a91c (squash).",
        "The branch a stays.",
    ]
