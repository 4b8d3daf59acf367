"""Rows of the list: their groups, their order, and what they say of what happens."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from ctui.claude.protocol.todos import Todo
from ctui.tasks.activity import Activity, Note
from ctui.tasks.calls import Update
from ctui.tasks.model import BackgroundCommand, EndReason, Task, TaskState
from ctui.tui.board.board import Board, Group, Item
from ctui.tui.board.header_content import counts
from ctui.tui.board.item_content import elided, fold_line, item_line, item_mark
from ctui.tui.board.row_words import row_words
from ctui.tui.board.todo_content import todo_rows, todo_strip
from ctui.worktrees.model import Changes, WorktreeStatus
from tests.tui.test_board import GIT, ask, status, task

MINUTE = 60_000_000_000
TODOS = (
    Todo("1", "Find them", "completed"),
    Todo("2", "Replace them", "in_progress"),
    Todo("3", "Test them"),
)


def board_of(*tasks: Task, statuses: tuple[WorktreeStatus, ...] = ()) -> Board:
    board = Board(GIT)
    board.take_statuses(statuses)
    for one in tasks:
        board.take(Update(task=one))
    return board


def item_of(one: Task, **facts: Any) -> Item:
    found = status(one.id, facts.pop("kind", "clean"), changes=facts.pop("changes", Changes()))
    found = msgspec.structs.replace(found, **facts)
    (item,) = board_of(one, statuses=(found,)).items()
    return item


def words_of(item: Item) -> str:
    return " ".join(words.text for words in row_words(item))


def at_rest(**facts: Any) -> Task:
    activity = Activity(began=2, rested=3, committed=facts.pop("committed", 0))
    return task(state=TaskState.IDLE, activity=activity, **facts)


def test_what_came_to_rest_is_new_until_it_is_read() -> None:
    assert item_of(at_rest()).group is Group.NEW
    assert item_of(at_rest(read=3)).group is Group.CLEAN
    assert item_of(at_rest(read=3), kind="unclean").group is Group.REVIEW


def test_a_failed_turn_is_never_clean() -> None:
    failed = at_rest(read=3, problem="API Error: 400", cause="other")
    item = item_of(failed)
    assert (item.group, item_mark(item)) == (Group.NEEDS_YOU, ("✗", "$error"))
    assert words_of(item) == "API Error: 400"


def test_what_has_landed_was_read_unless_it_only_answered() -> None:
    assert item_of(at_rest(committed=2), kind="merged").group is Group.MERGED
    assert item_of(at_rest(committed=1), kind="merged").group is Group.NEW


def test_who_waits_longest_comes_first() -> None:
    early, late, failed = (task(name, state=TaskState.RUNNING) for name in ("early", "late", "z"))
    failed = msgspec.structs.replace(
        failed, state=TaskState.IDLE, problem="no", cause="other", activity=Activity(rested=5)
    )
    board = board_of(early, late, failed)
    board.take(Update(ask=ask(9, "late")))
    board.take(Update(ask=ask(1, "early")))
    assert [item.name for item in board.items()] == ["early", "z", "late"]


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        (Activity(), "thinks"),
        (Activity(call="Bash: npm run build"), "npm run build"),
        (Activity(call="Read: a.py", todos=TODOS), "2/3 Replace them"),
        (Activity(todos=(Todo("1", "x", "completed"),), call="Read: a.py"), "Read: a.py"),
    ],
)
def test_a_row_says_what_happens_now(activity: Activity, expected: str) -> None:
    assert words_of(item_of(task(state=TaskState.RUNNING, activity=activity))) == expected


def test_a_row_says_what_is_asked() -> None:
    board = board_of(task(state=TaskState.WAITING))
    board.take(Update(ask=ask(1)))
    assert words_of(board.items()[0]) == "ls"
    board.take(Update(ask=ask(2)))
    assert words_of(board.items()[0]) == "2 asks: ls"


def test_a_row_says_what_became_of_a_turn() -> None:
    said = at_rest(result="The pivot is the median.\nMore.")
    assert words_of(item_of(said)) == '"The pivot is the median. More."'
    changed = item_of(said, kind="unclean", added=12, removed=3, files=2, conflict=True)
    assert words_of(changed) == "+12 -3 in 2 files, conflicts"
    one = item_of(at_rest(read=3), kind="unclean", added=1, files=1, changes=Changes(modified=2))
    assert words_of(one) == "+1 in 1 file, 2 uncommitted"


def test_a_row_says_what_runs_behind_a_turn() -> None:
    dev = BackgroundCommand(id="b", command="npm run dev", since=0)
    assert words_of(item_of(at_rest(background=(dev, dev)))) == "runs npm run dev and 1 more"


def test_a_row_marks_what_a_task_told() -> None:
    told = task(state=TaskState.RUNNING, activity=Activity(notes=(Note(5, "look"),)))
    assert words_of(item_of(told)) == "✉ thinks"
    assert words_of(item_of(msgspec.structs.replace(told, read=5))) == "thinks"


@pytest.mark.parametrize("width", [27, 42, 64])
@pytest.mark.parametrize("name", ["a", "fix-the-login-redirect-2", "名前がとても長いワークツリー"])
def test_a_row_has_a_name_words_and_an_age_in_its_width(width: int, name: str) -> None:
    asked = task(name, state=TaskState.WAITING)
    board = board_of(asked)
    board.take(Update(ask=ask(1, name)))
    line = item_line(board.items()[0], width, now=6 * MINUTE + 1)
    assert line.cell_length == width
    assert line.plain.endswith(" 6m")
    assert " ls " in line.plain


def test_long_names_keep_their_ends() -> None:
    first, second = (elided(f"fix-the-login-redirect-{number}", 12) for number in (1, 2))
    assert first != second
    assert cell_len(first) == cell_len(second) == 12
    assert first.startswith("fix-the")


def test_the_counts_of_the_header_are_rows_and_none_counts_twice() -> None:
    failed = at_rest(problem="no", cause="other")
    board = board_of(
        msgspec.structs.replace(failed, id="f", worktree="/w/f"),
        task("asks", state=TaskState.WAITING),
        task("runs", state=TaskState.RUNNING),
        msgspec.structs.replace(at_rest(), id="n", worktree="/w/n"),
        task("far", repository="/other"),
    )
    for number, name in ((1, "asks"), (2, "asks"), (3, "far")):
        board.take(Update(ask=ask(number, name)))
    found = counts(board.items(), board.asks_elsewhere)
    assert [(count.text, count.path) for count in found] == [
        ("1 ask", "/w/asks"),
        ("1 failed", "/w/f"),
        ("1 new", "/w/n"),
        ("1 work", "/w/runs"),
        ("1 ask elsewhere", ""),
    ]


def test_what_is_folded_is_counted() -> None:
    shown = fold_line({Group.MERGED: 10, Group.CLEAN: 11}, folded=True)
    assert shown.plain == "▸ 10 merged · 11 clean"


def test_a_stopped_task_is_no_news() -> None:
    stopped = task(state=TaskState.ENDED, reason=EndReason.STOPPED, activity=Activity(rested=0))
    assert item_of(stopped).group is Group.CLEAN


def test_a_to_do_list_is_one_line_around_what_is_done_now() -> None:
    todos = [
        *(Todo(str(number), f"Step {number}", "completed") for number in range(1, 4)),
        Todo("4", "Step 4", "in_progress", "Doing step 4"),
        *(Todo(str(number), f"Step {number}") for number in range(5, 9)),
    ]
    assert todo_strip(todos[2:5], 80).plain == "✓ Step 3  ▶ Doing step 4 (2/3)  ○ Step 5"
    narrow = todo_strip(todos, 40)
    assert narrow.plain.startswith("✓ 3 done  ▶ Doing step 4 (4/8)  ○ Step")
    assert narrow.cell_length <= 40
    rows = todo_rows(todos, 4).plain.split("\n")
    assert rows == ["✓ Step 3", "▶ Doing step 4", "○ Step 5", "… 8 steps in all"]
    last = [*(todo for todo in todos if todo.id != "4"), todos[3]]
    assert "▶ Doing step 4" in todo_rows(last, 4).plain
    assert todo_rows(todos, 10).plain.count("\n") == 7
