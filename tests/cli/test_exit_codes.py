"""What a turn comes to, as scripts are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctui.cli.task.exit_codes import exit_code, told_exit_code
from ctui.client.journal.plain import turn_over
from ctui.tasks.model import EndReason, Task, TaskOptions, TaskState, WorkState
from tests.cli.commands import refused


def task(**facts: Any) -> Task:
    usual: dict[str, Any] = {
        "id": "fix",
        "repository": "/r/.git",
        "worktree": "/w",
        "metadata": None,
        "branch": "ctui/fix",
        "base": None,
        "session": "s",
        "prompt": "go",
        "state": TaskState.IDLE,
    }
    return Task(**{**usual, **facts})


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, 0),
        ({"reason": EndReason.COMPLETED, "state": TaskState.ENDED}, 0),
        ({"problem": "API Error", "cause": "other"}, 1),
        ({"problem": "API Error"}, 1),
        ({"problem": "log in", "cause": "login", "state": TaskState.WAITING}, 1),
        ({"problem": "limit", "cause": "limit"}, 1),
        ({"denials": 1}, 1),
        ({"work": WorkState(problem="cannot be imported")}, 1),
        ({"reason": EndReason.FAILED, "state": TaskState.ENDED}, 1),
        ({"problem": "asked", "cause": "needs-input", "denials": 2}, 3),
        ({"problem": "the budget is spent", "cause": "budget"}, 4),
        ({"problem": "it took longer", "cause": "timeout"}, 4),
        ({"problem": "the turn was interrupted", "cause": "interrupted"}, 130),
        ({"reason": EndReason.STOPPED, "state": TaskState.ENDED}, 130),
    ],
)
def test_the_exit_code_says_what_to_do_next(
    facts: dict[str, Any], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """T17: needs input is 3, a spent budget or time 4; whatever is not 0 is said in one line."""
    found = task(**facts)
    assert exit_code(found) == told_exit_code(found) == code
    assert len(capsys.readouterr().err.splitlines()) == (code != 0)


def test_what_was_printed_already_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    """S21: an API error is printed once, and the hint names the task."""
    said = "API Error: 529 overloaded"
    assert told_exit_code(task(problem=said, cause="other"), printed=said) == 1
    line = capsys.readouterr().err
    assert said not in line
    assert "ctui task send fix" in line


def test_a_task_that_goes_on_by_itself_is_not_over() -> None:
    """T10: `run` waits for the reset; where nobody attends it, it does not."""
    limited = {"problem": "usage limit", "cause": "limit", "resume_at": 1}
    assert not turn_over(task(**limited))
    assert turn_over(task(**limited, options=TaskOptions(unattended=True)))


@pytest.mark.parametrize("given", ["0", "-1", "ten", "10x", "m", "1m30", "99999999h", "", "1.5"])
def test_a_time_that_is_none_is_wrong_usage(given: str, tmp_path: Path) -> None:
    """T17, beside it: exit code 2, before anything is made."""
    assert given in refused(tmp_path, "run", "--timeout", given, "go", code=2)


@pytest.mark.parametrize(
    ("given", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800)]
)
def test_times_as_a_person_writes_them(given: str, seconds: int) -> None:
    """T17: `--timeout SECONDS|10m`."""
    from ctui.cli.task.durations import Duration

    assert Duration().convert(given, None, None) == seconds
