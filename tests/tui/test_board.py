"""What the dashboard makes of tasks, asks and worktrees."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ctui.client.health.health import Check
from ctui.tasks.calls import Present, Update
from ctui.tasks.model import (
    Ask,
    AskKind,
    AskState,
    EndReason,
    Task,
    TaskOptions,
    TaskState,
)
from ctui.tui.board.board import Board, Group
from ctui.tui.board.header_content import Count, counts, health_marks, screen_header
from ctui.tui.board.item_content import item_line, worktree_card
from ctui.tui.board.task_content import pane_header, tab_labels
from ctui.worktrees.model import Changes, Upstream, Verdict, WorktreeStatus

GIT = "/r/.git"


def task(name: str = "a", **facts: Any) -> Task:
    return Task(
        id=name,
        repository=facts.pop("repository", GIT),
        worktree=facts.pop("worktree", f"/w/{name}"),
        metadata=None,
        branch=name,
        base=None,
        session="",
        prompt="p",
        **facts,
    )


def ask(number: int, name: str = "a", state: AskState = AskState.PENDING) -> Ask:
    return Ask(
        id=number,
        task=name,
        run=1,
        request=str(number),
        kind=AskKind.PERMISSION,
        tool="Bash",
        title="Bash: ls",
        input=msgspec.Raw(b"{}"),
        state=state,
        created=number,
    )


def status(name: str, kind: Any = "clean", **facts: Any) -> WorktreeStatus:
    return WorktreeStatus(
        name=facts.pop("shown", name),
        path=f"/w/{name}",
        metadata=f"/r/.git/worktrees/{name}",
        branch=name,
        head=None,
        base=None,
        status=kind,
        verdict=Verdict("no-commits", ""),
        changes=facts.pop("changes", Changes()),
        upstream=Upstream(),
        ahead=facts.pop("ahead", 0),
        behind=0,
        state=None,
        locked=None,
        problem=facts.pop("problem", None),
        active=0,
    )


def groups(board: Board) -> dict[str, Group]:
    return {item.name: item.group for item in board.items()}


def test_names_are_listed_before_anybody_looked() -> None:
    board = Board(GIT)
    board.take_names({"/w/b": "b", "/w/a": "a"})
    assert groups(board) == {"a": Group.UNKNOWN, "b": Group.UNKNOWN}


@pytest.mark.parametrize(
    ("facts", "asked", "expected"),
    [
        ({"state": TaskState.RUNNING}, False, Group.WORKING),
        ({"state": TaskState.QUEUED}, False, Group.WORKING),
        ({"state": TaskState.RUNNING}, True, Group.NEEDS_YOU),
        ({"state": TaskState.WAITING, "problem": "no login"}, False, Group.NEEDS_YOU),
        ({"state": TaskState.ENDED, "reason": EndReason.FAILED}, False, Group.NEEDS_YOU),
        ({"state": TaskState.IDLE}, False, Group.CLEAN),
        ({"state": TaskState.ENDED, "reason": EndReason.STOPPED}, False, Group.CLEAN),
    ],
)
def test_a_task_is_where_it_is_needed(facts: dict[str, Any], asked: bool, expected: Group) -> None:
    board = Board(GIT)
    board.take_statuses([status("a")])
    board.take(Update(task=task(**facts)))
    if asked:
        board.take(Update(ask=ask(1)))
    assert groups(board) == {"a": expected}


def test_worktrees_are_grouped_by_what_is_to_do() -> None:
    board = Board(GIT)
    board.take_statuses(
        [
            status("merged", "merged"),
            status("clean"),
            status("work", "unclean"),
            status("odd", problem="tampered"),
        ]
    )
    assert [(item.name, item.group) for item in board.items()] == [
        ("odd", Group.NEEDS_YOU),
        ("work", Group.REVIEW),
        ("merged", Group.MERGED),
        ("clean", Group.CLEAN),
    ]


def test_the_newest_task_stands_for_its_worktree() -> None:
    board = Board(GIT)
    board.take(Update(task=task("new", worktree="/w/a", created=2)))
    board.take(Update(task=task("old", worktree="/w/a", created=1)))
    (item,) = board.items()
    assert item.task is not None
    assert item.task.id == "new"


def test_another_repository_s_tasks_are_counted_but_not_listed() -> None:
    board = Board(GIT)
    board.take(Update(task=task("far", repository="/other", state=TaskState.RUNNING, cost=2.0)))
    assert board.items() == []
    assert len(board.running) == 1
    assert board.cost == 2.0


def test_what_is_answered_leaves_the_inbox() -> None:
    board = Board(GIT)
    board.take(Update(task=task("a")))
    for number in (2, 1):
        board.take(Update(ask=ask(number)))
    assert [entry.ask.id for entry in board.inbox if entry.ask] == [1, 2]
    board.take(Update(ask=ask(1, state=AskState.ANSWERED)))
    assert [item.id for item in board.asks_of("a")] == [2]
    board.take(Update(removed="a"))
    assert board.inbox == []


def test_hostile_names_are_text_and_nothing_else() -> None:
    evil = "[@click=app.quit]x[/]\x1b]0;t\x07\u202e"
    board = Board(GIT)
    board.take_statuses([status("a", "unclean", shown=evil, changes=Changes(untracked=2), ahead=1)])
    board.take(Update(task=task("a", problem=evil, state=TaskState.WAITING)))
    (item,) = board.items()
    header, _ = screen_header(board, evil, evil, shown=counts([item]), scripted=False)
    shown = [item_line(item, 60), worktree_card(item), pane_header(board.tasks["a"], 0, 0), header]
    for content in [*shown, *tab_labels([board.tasks["a"]], [0])]:
        assert not {"\x1b", "\x07", "\u202e"} & set(content.plain)
        assert not any("click" in str(span.style) for span in content.spans)


def test_the_header_names_the_target_where_it_is_another_branch() -> None:
    """G12: what worktrees are judged against is seen at once."""
    board = Board(GIT)
    shown, _ = screen_header(board, "r", "main", target="upstream/main", scripted=False)
    assert "against upstream/main" in shown.plain
    shown, _ = screen_header(board, "r", "main", target="main", scripted=False)
    assert "against" not in shown.plain


@pytest.mark.parametrize("width", range(10, 100))
def test_the_header_is_cut_between_words(width: int) -> None:
    """What is known elsewhere gives way first; what there is to do is there at 80 columns."""
    board = Board(GIT)
    shown = [Count("3 ask", "", "/a"), Count("1 new", "", "/b")]
    target = "origin/main"
    whole = (
        "ctui  teatime  main ↑2  against origin/main   3 ask · 1 new   $0.00  the model is scripted"
    )
    line, cells = screen_header(
        board,
        "teatime",
        "main",
        shown=shown,
        distance=(2, 0),
        target=target,
        scripted=True,
        width=width,
    )
    assert line.cell_length <= width
    if width >= len(whole):
        assert line.plain == whole
    if width >= 40:
        assert set(line.plain.split()) <= {*whole.split()}
        assert line.plain.endswith("scripted")
        assert "3 ask · 1 new" in line.plain
        assert "teatime" in line.plain
        assert line.plain[min(cells)] == "3"
    if width >= 78:
        assert "$0.00" in line.plain


def test_the_card_tells_what_landing_would_bring() -> None:
    board = Board(GIT)
    found = msgspec.structs.replace(status("a", "unclean"), added=12, removed=3, conflict=True)
    board.take_statuses([found])
    assert "+12 -3 lines, conflicts" in worktree_card(board.items()[0]).plain


@pytest.mark.parametrize("width", [20, 27, 34, 80])
def test_a_worktree_takes_one_row_whatever_it_has_to_say(width: int) -> None:
    board = Board(GIT)
    changes = Changes(staged=12, modified=345, untracked=6, conflicted=7)
    long = status("a", "unclean", shown="a-very-long-worktree-name", changes=changes, ahead=89)
    board.take_statuses([long])
    board.take(Update(task=task("a")))
    board.take(Update(ask=ask(1)))
    (item,) = board.items()
    line = item_line(item, width)
    assert line.cell_length <= width
    assert line.plain.startswith("? a-ve")
    assert "ls" in line.plain


def test_what_went_while_nobody_listened_is_gone() -> None:
    board = Board("/r/.git")
    for name in ("a", "b"):
        board.take(Update(task=task(name)))
    for number, name in enumerate(("a", "b", "b"), 1):
        board.take(Update(ask=ask(number, name)))
    board.take(Update(present=Present(tasks=["b"], asks=[3])))
    assert list(board.tasks) == ["b"]
    assert list(board.asks) == [3]


def test_a_task_whose_asks_go_elsewhere_says_so() -> None:
    marked = task(options=TaskOptions(approval_tool="mcp__policy__approve"))
    assert "asks go to mcp__policy__approve" in pane_header(marked, 0, 0).plain
    assert "asks go" not in pane_header(task(), 0, 0).plain


def test_a_login_that_ends_shows_when() -> None:
    checks = [
        Check("engine", True, "Docker"),
        Check("login", True, "Claude token, expires in 6 h", brief="6 h"),
    ]
    assert health_marks(checks).plain == "engine ✓  login 6 h"
    checks[1] = Check("login", False, "it has expired", brief="")
    assert health_marks(checks).plain == "engine ✓  login ✗"
