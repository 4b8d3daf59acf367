"""Turns of the real CLI that are over, and are not the end of it."""

from __future__ import annotations

import json
import time

import pytest

from ctui.tasks.model import TaskState
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

_OAUTH = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-demo-0123456789abcdef"}


def _behind(command: str) -> str:
    given = {"command": command, "run_in_background": True, "description": "Wait a bit"}
    return f"tool Bash {json.dumps(given)}"


async def test_a_command_behind_its_turn_is_left_alone(person: Person) -> None:
    """T8: shown with its age; no clean-up takes its worktree; its end begins a turn."""
    await person.start(
        "behind", _behind("while ! test -e go; do sleep 0.2; done"), "say Started.",
        skip_permissions=True,
    )  # fmt: skip
    task = await person.idle("behind")
    assert [one.command for one in task.background] == ["Wait a bit"]
    code, said = await person.ctui("worktree", "remove", "behind")
    assert code == 1
    assert "running a command" in said
    code, said = await person.ctui("task", "show", "behind")
    assert (code, "Wait a bit" in said) == (0, True)
    await person.say("behind", "bash touch go", "say Gone.")
    task = await person.until("behind", lambda now: now.turns >= 3 and not now.works)
    assert task.background == ()
    assert not task.problem


async def test_a_followed_run_waits_for_what_runs_behind_its_turn(person: Person) -> None:
    """T8: and ends when that is done."""
    prompt = f"Go.\n```script\n{_behind('sleep 4; echo done > made')}\nsay Started.\n```"
    code, said = await person.ctui(
        "run", "--name", "followed", "--task-id", "followed", "--skip-permissions", prompt
    )
    assert code == 0, said
    task = person.store.tasks.get("followed")
    assert (task.state, task.turns) == (TaskState.ENDED, 2)


async def test_a_limited_task_of_the_real_cli_goes_on(person: Person) -> None:
    """T10: at the time that the CLI's event says, by itself and once."""
    began = time.time()
    await person.start("limited", "limit 25", "say Done.", login=_OAUTH)
    task = await person.until("limited", lambda now: now.resume_at is not None)
    assert task.cause == "limit"
    assert task.resume_at is not None
    assert began < task.resume_at / 1e9 < time.time() + 61
    code, said = await person.ctui("task", "list")
    assert (code, "until" in said) == (0, True)
    # The model sees the prompt twice: the first time nobody answered it.
    task = await person.until("limited", lambda now: now.result.endswith("Done."))
    assert (task.resume_at, task.problem) == (None, "")
    assert len(person.store.messages.of("limited")) == 2
