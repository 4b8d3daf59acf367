"""`/shared`: one folder for the tasks of a repository, where it is switched on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from tests.conftest import make_repository
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


def switch(person: Person, *, on: bool) -> None:
    file = person.world.paths.config_file
    text = file.read_text().replace("[sandbox]\nshared_folder = true", "[sandbox]")
    file.write_text(text.replace("[sandbox]", "[sandbox]\nshared_folder = true") if on else text)


async def run(person: Person, name: str, *steps: str) -> str:
    """Run a task to the end of its turn; return what its tools printed."""
    code, said = await person.ctui(
        *("run", fenced(*steps, "say Done."), "--task-id", name, "--name", name),
        *("--skip-permissions", "--detach"),
    )
    assert code == 0, said
    await person.idle(name)
    return person.tool_output(name)


async def test_tasks_of_a_repository_share_a_folder_and_nobody_else_does(
    person: Person, tmp_path: Path
) -> None:
    """Issue: off by default; written by all its tasks; shown; removed by clean where it is off."""
    assert "no-folder" in await run(person, "off", "bash test -e /shared || echo no-folder")
    switch(person, on=True)
    await run(person, "one", "bash mkdir -m 700 /shared/d && echo of-$CTUI_TASK > /shared/d/note")
    assert "of-one" in await run(person, "two", "bash cat /shared/d/note")
    _, shown = await person.ctui("task", "show", "two")
    assert "shares /shared" in shown
    (tmp_path / "another").mkdir()
    first, person.repository = person.repository, make_repository(tmp_path / "another")
    assert "of-one" not in await run(person, "apart", "bash ls -d /shared; cat /shared/d/note")
    person.repository = first
    for task in ("off", "one", "two", "apart"):
        assert (await person.ctui("task", "stop", task))[0] == 0
    code, said = await person.ctui("clean", "--json")
    assert code == 0, said
    assert "-shared" not in said
    switch(person, on=False)
    code, said = await person.ctui("clean", "--json")
    assert code == 0, said
    assert sum(one["name"].endswith("-shared") for one in json.loads(said)["removed"]) == 2
