"""What lists and headers must not hide of a task."""

from __future__ import annotations

import msgspec
import pytest

from ctui.cli.task.task_text import state_text
from ctui.client.worktrees.worktree_removal import _refuse_live
from ctui.errors import Refused
from ctui.tasks.model import Alarm, BackgroundCommand, Cause, EndReason, Task, TaskState
from ctui.tui.board.board import Board, Group
from ctui.tui.board.item_content import item_line, task_mark
from ctui.tui.board.task_content import pane_header
from ctui.web.views import status_of

_TASK = Task(
    id="t", repository="/r/.git", worktree="/w/t", metadata=None, branch=None, base=None,
    session="s", prompt="p", state=TaskState.IDLE,
)  # fmt: skip
_DEV = BackgroundCommand(id="b", command="npm run dev", since=0)
_MINUTE = 60_000_000_000


def _with(**changes: object) -> Task:
    return msgspec.structs.replace(_TASK, **changes)


@pytest.mark.parametrize("state", [TaskState.IDLE, TaskState.ENDED])
@pytest.mark.parametrize("cause", ["other", "limit", "alarm", "timeout", "needs-input", "budget"])
def test_a_failed_turn_is_marked_as_failed(state: TaskState, cause: Cause) -> None:
    """T11: also where the task is idle, until something is said to it."""
    assert task_mark(_with(state=state, problem="it failed", cause=cause), 0) == ("✗", "$error")
    idle = _with(state=state, problem="it failed", cause=cause)
    assert status_of(idle) == "error"
    assert "failed" in state_text(idle)
    running = _with(state=TaskState.RUNNING, problem="it failed", cause=cause)
    assert task_mark(running, 0) == ("▶", "$primary")


def test_an_interrupted_turn_is_no_failure() -> None:
    """T11: a neighbour; the person did that."""
    task = _with(problem="the turn was interrupted", cause="interrupted")
    assert task_mark(task, 0) is None
    assert not task.failed


def test_a_failed_task_stands_where_the_person_looks_first() -> None:
    """T11: in the group of what needs the person, however it failed."""
    for task in (
        _with(problem="it failed", cause="other"),
        _with(state=TaskState.ENDED, reason=EndReason.FAILED, problem="it failed", cause="other"),
    ):
        board = Board("/r/.git")
        board.tasks[task.id] = task
        assert [item.group for item in board.items()] == [Group.NEEDS_YOU]


def test_what_runs_behind_its_turn_counts_as_work() -> None:
    """T8: in the list, in the header with its age, and for clean-up."""
    task = _with(background=(_DEV,))
    assert task.works
    assert task_mark(task, 0) == ("▶", "$primary")
    board = Board("/r/.git")
    board.tasks[task.id] = task
    assert [item.group for item in board.items()] == [Group.WORKING]
    assert "runs npm run dev 2 min" in pane_header(task, 0, 2 * _MINUTE).plain
    with pytest.raises(Refused, match="running a command"):
        _refuse_live([task])


def test_alarms_stand_in_the_header() -> None:
    """T2: with their number, and why the turn was stopped."""
    alarm = Alarm(at=0, kind="mode", text="Claude Code is in mode acceptEdits")
    task = _with(
        alarms=(alarm,), alarm_count=3, problem=f"stopped by an alarm: {alarm.text}", cause="alarm"
    )
    header = pane_header(task, 0, 0).plain
    assert "3 alarms" in header
    assert "stopped by an alarm: Claude Code is in mode acceptEdits" in header
    assert "alarm" not in pane_header(_TASK, 0, 0).plain


@pytest.mark.parametrize("count", [0, 1, 12])
def test_alarms_stand_in_the_list(count: int) -> None:
    board = Board("/r/.git")
    board.tasks["t"] = _with(alarm_count=count)
    [item] = board.items()
    assert ("alarms" in item_line(item, 60).plain) is bool(count)
    assert (f" alarms {count}" in item_line(item, 60).plain) is bool(count)
