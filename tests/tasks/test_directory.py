"""The folder of its worktree that a task starts in, with the real CLI."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

INNER = "deep/ü er"


@pytest.fixture
def inner(repository: Path) -> Path:
    """A folder with instructions and rules of its own."""
    folder = repository / INNER
    (folder / ".claude").mkdir(parents=True)
    (folder / ".claude/settings.json").write_text('{"permissions": {"deny": ["Read(/secret)"]}}')
    (folder / "secret").write_text("classified")
    (folder / "CLAUDE.md").write_text("Inner rule.")
    (repository / "CLAUDE.md").write_text("Outer rule.")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Add a folder")
    return folder


def started_in(person: Person) -> list[str]:
    """Return where each run's CLI was, the same conversation in all."""
    inits = [event for event in person.events("deep") if event.get("subtype") == "init"]
    assert len({event["session_id"] for event in inits}) == 1
    return [event["cwd"] for event in inits]


async def test_a_task_starts_in_its_folder_as_long_as_that_is_there(
    person: Person, inner: Path
) -> None:
    """T22: the folder of `--repo` is the working directory; without it the conversation goes on."""
    wanted = "Please.\n" + fenced(f"read /workspace/{INNER}/secret", "say Done.")
    code, said = await person.ctui(
        "run", "--detach", "--task-id", "deep", "--repo", str(inner), wanted
    )
    assert code == 0, said
    task = await person.idle("deep")
    assert task.directory == INNER
    assert "classified" not in person.tool_output("deep")
    managed = person.world.paths.task("deep") / "managed"
    assert (managed / "CLAUDE.md").read_text() == "Outer rule.\nInner rule."

    worktree = Path(task.worktree)
    shutil.move(worktree / "deep", worktree / "kept")
    await next_run(person, 2)
    (worktree / "deep").symlink_to("kept")
    await next_run(person, 3)
    (worktree / "deep").unlink()
    shutil.move(worktree / "kept", worktree / "deep")
    await next_run(person, 4)
    here = f"/workspace/{INNER}"
    assert started_in(person) == [here, "/workspace", "/workspace", here]
    relay = [entry.line for entry in person.journal("deep") if '"ctui_relay"' in entry.line]
    began = [json.loads(line) for line in relay if '"resumed"' in line]
    assert [line["resumed"] for line in began] == [False, True, True, True]


async def next_run(person: Person, turns: int) -> None:
    """Stop the task and let it go on: one turn in a sandbox of its own."""
    await person.client.call(calls.StopTask("deep"))
    await person.until("deep", lambda now: now.state is TaskState.ENDED)
    await person.say("deep", "say Done.")
    task = await person.idle("deep", turns=turns)
    assert task.result == "Done."
