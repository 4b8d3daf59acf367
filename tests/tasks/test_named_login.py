"""A task keeps the login that it was started with, by name, through all of its runs."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from ctui.claude.login.credentials import Credential
from ctui.claude.login.named import store_named
from ctui.demo.model.script import fenced
from ctui.tasks.model import TaskState
from tests.tasks.conftest import Person
from tests.tasks.test_given import inspected

pytestmark = pytest.mark.engine

TOKEN = "sk-ant-oat01-0f-the-other-account"
SHOW = (
    'bash curl -s "$ANTHROPIC_BASE_URL/calls" | grep -o \'"credentials": [^]]*\' | tail -1 '
    '| grep -o \'"sha256": "[0-9a-f]*"\''
)


async def test_a_task_has_the_login_that_it_was_started_with(person: Person) -> None:
    """Issue: `--login NAME`, after a driver's end too; never in inspect; a removed one waits."""
    store_named(person.world.paths, "work", Credential.parse(TOKEN))
    code, said = await person.ctui(
        *("run", fenced(SHOW, "say Done."), "--task-id", "mine", "--name", "mine", "--detach"),
        *("--skip-permissions", "--login", "work"),
    )
    assert code == 0, said
    await person.idle("mine")
    digest = sha256(TOKEN.encode()).hexdigest()
    assert person.tool_output("mine").count(digest[:16]) == 1
    assert TOKEN not in await inspected(person, "mine")
    assert "login      work" in (await person.ctui("task", "show", "mine"))[1]
    _, listed = await person.ctui("login", "list", "--json")
    assert [(one["name"], one["tasks"]) for one in json.loads(listed)] == [("work", ["mine"])]

    assert (await person.ctui("task", "stop", "mine"))[0] == 0
    await person.kill_driver()
    code, said = await person.ctui("task", "send", "mine", fenced(SHOW, "say Again."))
    assert code == 0, said
    await person.idle("mine", turns=2)
    assert person.tool_output("mine").count(digest[:16]) == 2

    assert (await person.ctui("task", "stop", "mine"))[0] == 0
    code, said = await person.ctui("login", "remove", "work")
    assert code == 0
    assert "wait at their next run: mine" in said
    assert (await person.ctui("task", "send", "mine", "More."))[0] == 0
    waiting = await person.until("mine", lambda task: bool(task.problem))
    assert waiting.state is TaskState.WAITING
    assert "there is no login work any more" in waiting.problem
    code, said = await person.ctui("run", "Hello", "--login", "work", "--detach")
    assert code == 1
    assert "there is no login work" in said
