"""Marks, and what would follow from them."""

from __future__ import annotations

from typing import Any

import pytest

from ctui.tasks.activity import Activity
from ctui.tasks.calls import Update
from ctui.tasks.model import TaskState
from ctui.tui.board.board import Board
from ctui.tui.cleanup.cleanup_content import row_line, summary
from ctui.tui.cleanup.cleanup_list import CleanupList, Kind
from ctui.worktrees.model import Changes, Upstream, Verdict, WorktreeStatus
from tests.tui.test_board import status, task


def shown(*statuses: WorktreeStatus, board: Board | None = None) -> CleanupList:
    board = board or Board("/r/.git")
    board.take_statuses(statuses)
    found = CleanupList()
    found.show(board.items())
    return found


def changed(name: str, **facts: Any) -> WorktreeStatus:
    return status(name, "unclean", changes=Changes(modified=2, untracked=1), **facts)


def test_all_that_is_merged_is_marked_and_what_is_clean_when_asked_again() -> None:
    """S7: one key takes what is merged; what was just begun or is open only when asked."""
    found = shown(status("a", "merged"), status("b", "clean"), changed("c"))
    assert found.mark_safe() == 1
    assert [row.name for row in found.chosen] == ["a"]
    assert found.mark_safe() == 2
    assert [row.name for row in found.chosen] == ["a", "b"]
    follows = found.consequences(delete_branches=False)
    assert "2 worktrees go to the trash (1 merged, 1 clean)." in follows.facts[0]
    assert follows.losses == []
    assert found.mark_safe() == 0


def test_where_nothing_is_merged_the_first_key_marks_nothing() -> None:
    """S7: a worktree that was just made is not marked by the key that a habit presses."""
    found = shown(status("b", "clean"), status("d", "clean"))
    assert [found.mark_safe() for _ in range(4)] == [0, 2, 0, 0]


def test_a_mark_by_hand_does_not_make_the_key_take_more() -> None:
    """S7: what `A` takes does not depend on the marks that are there."""
    found = shown(status("a", "merged"), status("b", "clean"))
    found.toggle("/w/a")
    assert found.mark_safe() == 1


def test_what_nobody_else_has_is_said() -> None:
    found = shown(changed("c"))
    found.toggle("/w/c")
    assert [row.name for row in found.unclean] == ["c"]
    assert found.consequences(delete_branches=True).losses == ["c: 3 changed files"]


@pytest.mark.parametrize(
    ("name", "facts", "why"),
    [
        ("locked", {"locked": "on a stick"}, "on a stick"),
        ("tampered", {"problem": "tampered"}, "tampered"),
    ],
)
def test_what_cannot_go_cannot_be_marked(name: str, facts: dict[str, Any], why: str) -> None:
    import msgspec

    found = shown(msgspec.structs.replace(status(name, "unclean"), **facts))
    assert why in found.toggle(f"/w/{name}")
    assert found.marked == set()


def test_a_task_at_work_protects_its_worktree() -> None:
    board = Board("/r/.git")
    board.take(Update(task=task("a", state=TaskState.RUNNING)))
    found = shown(status("a", "merged"), board=board)
    assert "running" in found.toggle("/w/a")
    assert found.mark_safe() == 0


def test_what_changed_since_it_was_marked_is_not_marked() -> None:
    found = shown(status("a", "merged"), status("b", "merged"))
    found.mark_safe()
    board = Board("/r/.git")
    board.take_statuses([changed("a"), status("b", "merged")])
    found.show(board.items())
    assert found.marked == {"/w/b"}


def test_pushed_work_says_where_it_is() -> None:
    import msgspec

    pushed = msgspec.structs.replace(
        status("a", "clean"),
        verdict=Verdict("unmerged", "1 commit not in main"),
        upstream=Upstream("origin/a", "present"),
    )
    (row,) = shown(pushed).rows
    assert (row.kind, row.evidence) == (Kind.CLEAN, "all of it is on origin/a")


def test_what_nobody_has_read_or_has_failed_is_marked_by_hand_only() -> None:
    """Its worktree may hold nothing, and its answer is still to be read."""
    board = Board("/r/.git")
    rest = Activity(began=1, rested=2)
    facts = {"state": TaskState.IDLE, "activity": rest}
    board.take(Update(task=task("new", **facts)))
    board.take(Update(task=task("failed", **facts, read=2, problem="no", cause="other")))
    board.take(Update(task=task("read", **facts, read=2)))
    statuses = [status(name, "clean") for name in ("new", "failed", "read")]
    found = shown(*statuses, status("merged", "merged"), board=board)
    assert [found.mark_safe() for _ in range(2)] == [1, 2]
    assert {row.name for row in found.chosen} == {"merged", "read"}
    assert found.toggle("/w/new") == ""
    rows = {row.name: row_line(row, 120, 0, marked=False, size=0).plain for row in found.rows}
    assert "not read yet" in rows["new"]
    assert "its last turn failed" in rows["failed"]
    found.marked.clear()
    assert "2 of them were not read, or failed" in summary(found, False, [], in_full=False).plain
