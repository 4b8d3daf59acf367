"""Tasks after their first turn: resumed, told more, removed, purged, queued."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from ctui.errors import Conflict
from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState, TaskState
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


async def test_a_resumed_task_is_idle_until_it_is_told_something(person: Person) -> None:
    await person.start("resumed", "say First.")
    await person.idle("resumed")
    await person.client.call(calls.StopTask("resumed"))
    await person.client.call(calls.ResumeTask("resumed"))
    await person.until("resumed", lambda now: now.state is TaskState.STARTING)
    await person.idle("resumed")
    with pytest.raises(Conflict, match="idle"):
        await person.client.call(calls.InterruptTask("resumed"))
    await person.say("resumed", "say Second.")
    assert (await person.idle("resumed", turns=2)).result == "Second."


async def test_removed_is_not_purged_until_it_is_said(person: Person) -> None:
    task = await person.start("gone", "say Done.")
    await person.idle("gone")
    code, said = await person.ctui("task", "remove", "gone", "--keep-worktree")
    assert (code, said) == (0, "removed gone\n")
    assert Path(task.worktree).is_dir()
    assert "no tasks yet" in (await person.ctui("task", "list"))[1]
    assert "gone" in (await person.ctui("task", "list", "--removed"))[1]
    assert (await person.ctui("task", "remove", "gone", "--purge")) == (0, "purged gone\n")
    assert "no tasks yet" in (await person.ctui("task", "list", "--removed"))[1]
    assert not person.world.paths.task("gone").exists()


async def test_a_task_that_cannot_be_removed_goes_on(person: Person) -> None:
    await person.start("dirty", "bash touch made", "wait gate", "say Never.")
    await person.answer(await person.asked("dirty"), Answer("allow"))
    await person.until("dirty", lambda now: now.state is TaskState.RUNNING)
    async with asyncio.timeout(20):
        async for batch in person.client.follow("dirty"):
            if any('"tool_result"' in entry.line for entry in batch):
                break
    code, said = await person.ctui("task", "remove", "dirty")
    assert code == 1
    assert "unclean" in said
    assert person.store.tasks.get("dirty").state is TaskState.RUNNING


async def test_a_decision_is_never_guessed(person: Person) -> None:
    await person.start("decide", "bash touch made", "ask Which? | Q | A: a | B: b", "say Done.")
    ask = await person.asked("decide")
    for wrong in ([], ["allow", "--message", "no"], ["allow", "--text", "yes"], ["cancel"]):
        code, said = await person.ctui("task", "answer", "decide", *wrong)
        assert code == 1, said
    assert person.store.asks.get(ask.id).state is AskState.PENDING
    shown = (await person.ctui("task", "show", "decide"))[1]
    assert "touch made" in shown
    assert "ctui task answer decide allow" in shown
    assert (await person.ctui("task", "answer", "decide", "allow"))[0] == 0
    question = await person.asked("decide")
    assert question.kind == "question"
    code, said = await person.ctui("task", "answer", "decide")
    assert "--text" in said
    assert (await person.ctui("task", "answer", "decide", "--text", "B"))[0] == 0
    await person.idle("decide")
    assert "B" in person.tool_output("decide")


async def test_waiting_for_a_follow_up_shows_that_turn_only(person: Person) -> None:
    await person.start("waited", "say First.")
    await person.idle("waited")
    code, said = await person.ctui(
        "task", "send", "waited", "Next.\n" + fenced("say Second."), "--wait"
    )
    assert code == 0
    assert "Second." in said
    assert "First." not in said


async def test_a_failed_import_is_made_up_for_before_anything_is_deleted(person: Person) -> None:
    commit = "echo m > m; git add -A; git commit -qm precious"
    await person.start("moved", f"bash {commit}", "say Done.")
    ask = await person.asked("moved")
    git_dir = person.repository / ".git"
    away = git_dir.rename(git_dir.with_name(".git-away"))
    await person.answer(ask, Answer("allow"))
    await person.idle("moved")
    code, said = await person.ctui("task", "remove", "moved", "--purge")
    assert code == 1
    assert "cannot be imported" in said
    assert "cannot be imported" in (await person.ctui("task", "show", "moved"))[1]
    away.rename(git_dir)
    await person.client.call(calls.StopTask("moved"))
    code, said = await person.ctui("task", "remove", "moved", "--purge", "--force")
    assert code == 0, said
    assert "precious" in git(person.repository, "log", "--all", "--format=%s")
    assert git(person.repository, "log", "-1", "--format=%s", "ctui/moved") == "precious"


async def test_an_idle_task_makes_room_for_one_that_waits(person: Person) -> None:
    config = person.world.paths.config_file
    config.write_text(config.read_text() + "\n[tasks]\nmax_running = 1\n")
    await person.start("first", "say First.")
    await person.idle("first")
    # Both want the one place that the first has: the next one to be idle makes room again.
    await person.start("second", "say Second.")
    await person.start("third", "say Third.")
    assert (await person.idle("second")).result == "Second."
    assert (await person.idle("third")).result == "Third."
    await person.say("first", "say Again.")
    assert (await person.idle("first", turns=2)).result == "Again."


async def test_a_command_of_the_cli_ends_its_turn_too(person: Person) -> None:
    """The CLI echoes no message that begins with a slash, and never runs it twice."""
    await person.start("slash", "say First.")
    await person.idle("slash")
    for text in ("/nope hello", "/cost"):
        await person.ctui("task", "send", "slash", text)
        await person.idle("slash")
        assert person.store.messages.undelivered("slash") == []
    await person.say("slash", "say Second.")
    await person.until("slash", lambda now: now.result == "Second.")
    code, _ = await person.ctui("run", "--name", "slashed", "/api returns 500, fix it")
    assert code in {0, 1}
