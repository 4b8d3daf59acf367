"""Variables and secrets that a task is given: in its sandbox, and nowhere else."""

from __future__ import annotations

import asyncio
import json

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks.calls import StopTask
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
