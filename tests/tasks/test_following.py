"""Commands that follow a turn: what they wait for, what they say, what they end with."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from ctui.client.connection import driver_pid
from ctui.demo.model.script import fenced
from ctui.tasks.model import Answer, TaskState
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


async def test_send_waits_for_its_own_turn_after_a_crash(person: Person) -> None:
    """S9: what was idle before is not the end of the turn that the message begins."""
    await person.start("crash", "say First.")
    await person.idle("crash")
    await person.kill_driver()
    text = "Next.\n" + fenced("say Second.")
    code, said = await person.ctui("task", "send", "crash", text, "--wait")
    assert code == 0, said
    assert "Second." in said
    assert "First." not in said


async def test_resume_waits_too(person: Person) -> None:
    """S9, beside it: with nothing to repeat it ends as soon as the CLI is there."""
    await person.start("again", "say First.")
    await person.idle("again")
    await person.ctui("task", "stop", "again")
    code, said = await person.ctui("task", "resume", "again", "--wait")
    assert code == 0, said
    assert person.store.tasks.get("again").state is TaskState.IDLE


async def test_a_list_says_that_nobody_works_and_sees_to_it(person: Person) -> None:
    """S19: what only reads does not hide that a driver is gone."""
    await person.start("left", "bash touch made", "say Done.")
    ask = await person.asked("left")
    await person.kill_driver()
    code, said = await person.ctui("task", "list")
    assert code == 0
    assert "no driver runs, and 1 task waits" in said
    assert await driver_pid(person.world.paths) is not None
    assert "no driver" not in (await person.ctui("task", "show", "left"))[1]
    await person.answer(ask, Answer("allow"))
    await person.idle("left")


async def test_a_silent_model_is_said_once(person: Person) -> None:
    """S23: and that it speaks again."""
    prompt = "Slowly.\n" + fenced("slow 12000 100", "say Hello you.")
    code, said = await person.ctui("run", "--name", "silent", prompt, seconds=120)
    assert code == 0, said
    assert said.count("the model has said nothing for 1") == 1, said
    goes_on = next(line for line in said.splitlines() if line.startswith("* it goes on after 1"))
    assert said.index(goes_on) < said.index("Hello you.")


async def test_an_api_error_is_said_once_and_names_the_task(person: Person) -> None:
    """S21: not as a message, as a result and as a reason."""
    prompt = "Fail.\n" + fenced("fail 403 always")
    code, said = await person.ctui("run", "--name", "refused", prompt)
    assert code == 1, said
    assert said.count("the script says 403") <= 2, said
    assert "ctui setup" not in said
    assert "does not permit it to this account" in said
    assert "refused" in said.splitlines()[-1]


async def test_what_a_task_will_not_find_is_said_where_it_begins(person: Person) -> None:
    """T21: with the option that changes it; with --detach --json as `notes`."""
    repository = person.repository
    (repository / "hello.txt").write_text("changed\n")
    (repository / ".git" / "info" / "exclude").write_text(".env\n")
    (repository / ".env").write_text("SECRET=1\n")
    prompt = "Go.\n" + fenced("say Done.")
    code, said = await person.ctui("run", "--detach", "--json", "--name", "noted", prompt)
    assert code == 0
    started = json.loads(said[said.index("{") :])
    notes = "\n".join(started["notes"])
    assert "hello.txt" in notes
    assert ".env" in notes
    assert "--workspace-dir" in notes
    assert started["id"] == "noted"
    await person.idle("noted")


async def test_an_address_that_is_the_sandbox_itself_is_refused(person: Person) -> None:
    """T15: nothing was made, and the setting is named; the gateway would reach it."""
    environ = dict(person.world.environ)
    person.world.environ.update({"ANTHROPIC_BASE_URL": "http://localhost:4000"})  # type: ignore[attr-defined] # it is a dict
    config = person.world.paths.config_file
    config.write_text(config.read_text().partition("[claude]")[0])
    code, said = await person.ctui("run", "--no-gateway", "--name", "own", "go")
    assert code == 1
    assert "$ANTHROPIC_BASE_URL is http://localhost:4000" in said
    assert not list(Path(person.world.paths.worktrees).glob("*/own"))
    config.write_text(config.read_text().replace("[network]", "[network]\ngateway = false"))
    assert "ANTHROPIC_BASE_URL" in (await person.ctui("doctor"))[1]
    assert "ANTHROPIC_BASE_URL" in (await person.ctui("setup", "--no-image"))[1]
    person.world.environ.update(environ)  # type: ignore[attr-defined] # as above


async def test_an_interrupted_run_says_what_goes_on_with_it(person: Person) -> None:
    """S16: while a tool runs in the first turn; the task is stopped, and the line names it."""
    prompt = "Go.\n" + fenced("bash touch made; sleep 100", "say Done.")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", "run", "--skip-permissions", "--name", "cut", prompt),
        cwd=person.repository,
        env=person.world.environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(120):
        said = b""
        while b"touch made" not in said.partition(b"say Done.")[2]:
            said += await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert process.returncode == 130, rest
    assert b"stopped cut: `ctui task resume cut` goes on with it" in rest
    assert person.store.tasks.get("cut").reason == "stopped"
