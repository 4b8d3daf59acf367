"""Isolated tasks in real containers: what they see, and that their work comes home."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks import calls
from tests.conftest import git
from tests.git.isolated import history, littered
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

LOOK = "bash git cat-file --batch-all-objects --batch-check"


def seen(person: Person, task: str) -> set[str]:
    """Return the names of all objects that the task's `LOOK`s have listed."""
    return set(re.findall(r"([0-9a-f]{40}) (?:commit|tree|blob|tag) ", person.tool_output(task)))


async def test_it_sees_what_it_started_from_and_its_commit_comes_home(person: Person) -> None:
    """T25: in the container, in its first run and in the next, and after it was put back."""
    secret = littered(person.repository)
    base = history(person.repository, "HEAD")
    objects = person.repository / ".git" / "objects"
    steps = fenced(
        LOOK,
        f"bash ls -d {objects} || echo NO-SUCH-FOLDER",
        "bash git status --porcelain && git log --oneline",
        "bash echo mine > mine && git add mine && git commit -q -m Mine && git gc -q",
        "say Done.",
    )
    code, said = await person.ctui(
        *("run", "--isolated", "--skip-permissions", "--detach"),
        *("--task-id", "alone", "--name", "alone", f"Please.\n{steps}"),
    )
    assert code == 0, said
    task = await person.idle("alone")
    assert seen(person, "alone") == base
    assert "NO-SUCH-FOLDER" in person.tool_output("alone")
    assert "Greet the world" in person.tool_output("alone")
    await person.client.call(calls.StopTask("alone"))
    assert git(person.repository, "log", "--format=%s", "-1", "ctui/alone") == "Mine"
    home = history(person.repository, "ctui/alone")
    _, shown = await person.ctui("task", "show", "alone")
    assert re.search(r"^isolated +yes$", shown, re.MULTILINE)

    await person.say("alone", LOOK, "say Again.")
    await person.idle("alone", turns=2)
    assert seen(person, "alone") == home
    assert not home & secret
    git(person.repository, "fsck", "--strict")

    code, said = await person.ctui("task", "remove", "alone", "--force")
    assert code == 0, said
    code, said = await person.ctui("worktree", "restore", "alone")
    assert code == 0, said
    assert Path(task.worktree, "mine").read_text() == "mine\n"
    assert git(Path(task.worktree), "status", "--porcelain") == ""
    await person.say("alone", LOOK, "say Back.")
    await person.idle("alone", turns=3)
    assert seen(person, "alone") == home


async def test_without_isolation_a_task_sees_what_was_dropped(person: Person) -> None:
    """T25: the same look finds it, so the other test can fail."""
    secret = littered(person.repository)
    await person.start("open", LOOK, "say Done.", skip_permissions=True)
    await person.idle("open")
    assert secret < seen(person, "open")


async def test_a_shallow_clone_is_refused_before_anything_is_made(
    person: Person, tmp_path: Path
) -> None:
    """T25: the setting counts as the option does; no task and no worktree are left."""
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{person.repository}", "shallow")
    config = person.world.paths.config_file
    config.write_text(config.read_text().replace("[sandbox]", "[sandbox]\nisolated = true"))
    code, said = await person.ctui("run", "--detach", "--repo", str(clone), "Please.")
    assert code == 1
    assert "is a shallow clone, without all that" in said
    assert "git fetch --unshallow" in said
    assert person.store.tasks.list() == []
    assert git(clone, "worktree", "list").count("\n") == 0
