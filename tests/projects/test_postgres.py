"""A Python project with PostgreSQL beside it, as a devcontainer's compose file says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_TASK
from tests.conftest import ENGINE_WIDE
from tests.projects.conftest import Project, clone_of
from tests.projects.postgres import postgres_image
from tests.projects.sources import POSTGRES
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.slow, ENGINE_WIDE]

TEST = 'bash pytest -q; python3 -c \'import notes; print("notes:", notes.add("x"))\''


@pytest.mark.timeout(600)
async def test_it_is_set_up_and_tested_with_its_database_from_a_fresh_clone(
    person: Person, projects: list[Project], tmp_path: Path
) -> None:
    """Done when: one with postgres beside it, unattended; a second task starts at once.

    The server is Debian's package in an image of this test (`postgres.py`).
    """
    put = {
        "{base}": image_tag(ImageConfig()),
        "{postgres}": await postgres_image(person.world.engine),
    }
    files = {
        name: text.replace("{base}", put["{base}"]).replace("{postgres}", put["{postgres}"])
        for name, text in POSTGRES.items()
    }
    project = Project(person, clone_of(files, tmp_path))
    projects.append(project)
    shown = await project.shown()
    statuses = {one["key"]: one["status"] for one in shown["keys"]}
    assert statuses["dockerComposeFile"] == statuses["services.db.image"] == "used"
    assert statuses["services.db.privileged"] == "refused"
    assert statuses["services.db.volumes: /etc at /host/etc"] == "refused"
    assert statuses["services.db.ports"] == statuses["services.mail"] == "ignored"
    assert [one["name"] for one in shown["services"]] == ["db"]

    found = await project.built()
    for name in ("first", "second"):
        code, printed = await project.task(
            name, TEST, "bash git status --porcelain; env | grep DATA"
        )
        assert code == 0, printed
        assert "1 passed" in printed
        assert "notes: 3" in printed  # a database of its own, made from the worktree's script
        assert "?? " not in printed
    log = (project.world.paths.state / "environments" / f"{found}.log").read_text()
    assert log.count("\n$ python3 -m venv") == 1  # the set-up ran once

    # What the database holds sleeps with the task, and is there when it goes on.
    code, out, err = await project.ctui(
        *("task", "send", "--wait", "--unattended", "first", f"Again.\n```script\n{TEST}\n```")
    )
    assert code == 0, out + err
    assert "notes: 6" in person.tool_output("first")
    code, out, err = await project.ctui("task", "show", "first")
    assert f"db: {put['{postgres}']}, asleep" in out, out + err
    code, out, err = await project.ctui("task", "logs", "first", "--service", "db")
    assert "database system is shut down" in out, out + err

    engine = person.world.engine
    ours = {LABEL_INSTANCE: person.world.paths.instance, LABEL_TASK: "first"}
    assert await engine.find(ours) == []
    assert len(await engine.volumes(ours)) == 2  # its home, and the database's
    await project.ctui("task", "remove", "--force", "--purge", "first")
    assert await engine.volumes(ours) == []
