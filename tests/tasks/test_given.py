"""Variables and secrets that a task is given: in its sandbox, and nowhere else."""

from __future__ import annotations

import asyncio
import json

import pytest

from ctui.demo.model.script import fenced
from ctui.redaction.forms import forms, squeeze
from ctui.tasks.asks import decisions
from ctui.tasks.calls import StopTask
from ctui.tasks.model import Answer, TaskState
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

SHOW = "bash env | grep ^GIVEN_ | sort"


async def inspected(person: Person, task: str) -> str:
    container = person.store.runs.of(task)[-1].container
    process = await asyncio.create_subprocess_exec(
        "docker", "inspect", container, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert container in output.decode()
    return output.decode()


async def test_variables_are_the_same_in_each_run_and_shown_by_name(person: Person) -> None:
    """Issue: --env, --env-file; kept, not in inspect; the same after a driver's end and a sleep."""
    (person.repository.parent / "vars").write_text("GIVEN_FILE=of the file\nGIVEN_BOTH=file\n")
    options = ["--env", "GIVEN_BOTH=option", "--env-file", "../vars", "--skip-permissions"]
    prompt = fenced(SHOW, "say Done.")
    code, said = await person.ctui(
        *("run", prompt, "--task-id", "given", "--name", "given"), *options, "--detach"
    )
    assert code == 0, said
    await person.idle("given")
    expected = "GIVEN_BOTH=option\\nGIVEN_FILE=of the file"
    assert person.tool_output("given").count(expected) == 1
    assert "of the file" not in await inspected(person, "given")
    await person.client.call(StopTask("given"))
    await person.kill_driver()
    code, said = await person.ctui("task", "send", "given", fenced(SHOW, "say Again."))
    assert code == 0, said
    await person.idle("given", turns=2)
    assert person.tool_output("given").count(expected) == 2
    for shown in (
        await person.ctui("task", "show", "given"),
        await person.ctui("task", "show", "given", "--json"),
        await person.ctui("task", "list", "--json"),
    ):
        assert "GIVEN_FILE" in shown[1]
        assert "of the file" not in shown[1].replace(json.dumps(prompt), "")


SECRET = "t0p-Secret+value/of the=test"
"""Has what JSON, URLs and base64 write otherwise."""

PRINT = (
    'bash echo "$GIVEN_SECRET"; printf %s "$GIVEN_SECRET" | base64; '
    'printf \'%s\' "xx$GIVEN_SECRET" | base64 -w0; printf %s "$GIVEN_SECRET" | od -An -tx1; '
    'python3 -c \'import os, json, urllib.parse as u; s = os.environ["GIVEN_SECRET"]; '
    "print(json.dumps(json.dumps(s)), u.quote(s), s.encode().hex())'; echo shown-$GIVEN_PLAIN"
)


async def test_a_secret_is_in_the_sandbox_and_nowhere_else(person: Person) -> None:
    """Issue: never in argv, store or inspect; in no form in what is stored; rotate; last given."""
    (person.repository.parent / "secret").write_text(SECRET)
    code, said = await person.ctui(
        "secret", "set", "GIVEN_SECRET", "--from-file", str(person.repository.parent / "secret")
    )
    assert code == 0, said
    options = ["--secret", "GIVEN_SECRET", "--env", "GIVEN_PLAIN=1", "--skip-permissions"]
    prompt = fenced(PRINT, "say Done.")
    code, said = await person.ctui(
        *("run", prompt, "--task-id", "kept", "--name", "kept"), *options, "--detach"
    )
    assert code == 0, said
    await person.idle("kept")
    output = person.tool_output("kept")
    assert "shown-1" in output
    assert output.count("[redacted]") == 7
    inspect = await inspected(person, "kept")
    left = forms(SECRET)
    assert not any(form in squeeze(inspect.encode()) for form in left)
    for path in person.world.paths.state.rglob("*"):
        if path.is_file():
            data = squeeze(path.read_bytes())
            assert not any(form in data for form in left), path
    code, listed = await person.ctui("secret", "list", "--json")
    [one] = json.loads(listed)
    assert one["tasks"] == ["kept"]
    assert one["last_given"] > 0
    await person.client.call(StopTask("kept"))
    (person.repository.parent / "secret").write_text("an0ther-Value-of-it")
    await person.say("kept", 'bash echo "${GIVEN_SECRET:0:6}...${GIVEN_SECRET:8}"', "say Again.")
    await person.idle("kept", turns=2)
    assert "an0the...Value-of-it" in person.tool_output("kept")
    await person.client.call(StopTask("kept"))
    (person.repository.parent / "secret").unlink()
    await person.say("kept", "say Never.")
    waiting = await person.until("kept", lambda task: bool(task.problem))
    assert waiting.state is TaskState.WAITING
    assert "the secret GIVEN_SECRET" in waiting.problem
    assert "ctui task resume kept" in waiting.problem


async def test_an_ask_shows_no_secret_and_runs_with_it(person: Person) -> None:
    """No line shown has it: also a command that Claude wants to run; what is allowed has it."""
    environ = {"GIVEN_TOKEN": "t0ken-of-the-ask"}
    code, said = await person.ctui("secret", "set", "GIVEN_TOKEN", "--from-env", "GIVEN_TOKEN")
    assert code == 0, said
    steps = fenced("bash touch t0ken-of-the-ask; ls | cut -c 6-", "say Done.")
    person.world = person.world._replace(environ={**person.world.environ, **environ})
    code, said = await person.ctui(
        "run", steps, "--task-id", "asks", "--name", "asks", "--secret", "GIVEN_TOKEN", "--detach"
    )
    assert code == 0, said
    ask = await person.asked("asks")
    assert b"t0ken" not in bytes(ask.input)
    assert "touch [redacted]; ls" in ask.title
    assert decisions(ask)[-1] == "deny"
    assert "always" not in decisions(ask)
    await person.answer(ask, Answer("allow"))
    await person.idle("asks")
    assert "-of-the-ask" in person.tool_output("asks")
    assert "t0ken-of" not in str(person.events("asks"))


async def test_a_task_begins_with_uncommitted_work_and_ignored_files(person: Person) -> None:
    """Issue: --with-changes and .worktreeinclude, as the task's own git sees them."""
    here = person.repository
    (here / ".gitignore").write_text(".env\n")
    (here / ".worktreeinclude").write_text(".env\n")
    git(here, "add", ".")
    git(here, "commit", "-q", "-m", "Ignore")
    (here / ".env").write_text("A=brought\n")
    (here / "new.txt").write_text("new\n")
    (here / "staged.txt").write_text("staged\n")
    git(here, "add", "staged.txt")
    (here / "hello.txt").write_text("edited\n")
    prompt = fenced("bash git status --porcelain; cat .env", "say Done.")
    options = ["--with-changes", "--yes", "--skip-permissions", "--detach"]
    code, said = await person.ctui(
        *("run", prompt, "--task-id", "begun", "--name", "begun"), *options
    )
    assert code == 0, said
    assert said == f"* copied 1 ignored file of {here}\nbegun\n"
    await person.idle("begun")
    output = person.tool_output("begun")
    for line in git(here, "status", "--porcelain").splitlines():
        assert line in output
    assert "A=brought" in output
    assert person.store.tasks.get("begun").options.files == (".env",)
    code, shown = await person.ctui("task", "show", "begun")
    assert "files      .env" in shown


async def test_variables_of_the_cli_itself_reach_it(person: Person) -> None:
    """Issue: BASH_* and MCP_* steer Claude Code in the task: by `--env`, and by the settings."""
    settings = person.world.paths.config_file
    line = 'env = ["BASH_DEFAULT_TIMEOUT_MS=1000", "MCP_TIMEOUT=7000"]'
    settings.write_text(settings.read_text().replace("[sandbox]", f"[sandbox]\n{line}"))
    options = ["--env", "BASH_MAX_OUTPUT_LENGTH=300", "--env", "MCP_TOOL_TIMEOUT=9000"]
    steps = ["bash seq 100000 100999", "bash sleep 20", "bash env | grep ^MCP_ | sort", "say Done."]
    code, said = await person.ctui(
        *("run", fenced(*steps), "--task-id", "cli", "--name", "cli"),
        *("--skip-permissions", "--detach", *options),
    )
    assert code == 0, said
    await person.idle("cli")
    results = [
        event["message"]["content"][0]["content"]
        for event in person.events("cli")
        if event["type"] == "user" and isinstance(event["message"]["content"], list)
    ]
    assert "100000" in results[0]
    assert len(results[0]) < 1500
    assert "100500" not in results[0]
    assert "1s" in results[1] or "1000" in results[1]
    assert "MCP_TIMEOUT=7000\nMCP_TOOL_TIMEOUT=9000" in results[2]
