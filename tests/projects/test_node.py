"""A Node project with a build, on ctui's own image: `[environment]` of `.ctui.toml`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ctui.sandbox.docker.environment_image import environment_tag
from tests.conftest import ENGINE_WIDE, git
from tests.projects.conftest import Project, clone_of
from tests.projects.sources import NODE
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.slow, ENGINE_WIDE]


@pytest.mark.timeout(600)
async def test_it_is_set_up_built_and_tested_in_a_task_from_a_fresh_clone(
    person: Person, projects: list[Project], tmp_path: Path
) -> None:
    """Done when: a Node project with a build, unattended; a second task starts at once."""
    project = Project(person, clone_of(NODE, tmp_path))
    projects.append(project)
    code, _, err = await project.ctui("run", "--unattended", "go")
    assert code == 3
    assert "ctui env build --yes" in err
    assert not list(project.world.paths.worktrees.glob("*/*"))

    found = await project.built()
    assert (await project.shown())["state"] == "ready"
    code, printed = await project.task(
        "first",
        "bash npm run build && npm test",
        "bash git status --porcelain; stat -c links:%h node_modules/typescript/package.json",
        "bash touch /nothing; echo mine > node_modules/mine",
    )
    assert code == 0, printed
    assert "pass 1" in printed
    assert "links:1" in printed  # a copy of its own
    assert "?? " not in printed
    assert "Read-only file system" in printed

    started = time.monotonic()
    code, printed = await project.task("second", "bash npm run build && npm test; ls node_modules")
    assert code == 0, printed
    assert "pass 1" in printed
    assert "mine" not in printed
    assert time.monotonic() - started < 60
    log = project.world.paths.state / "environments" / f"{found}.log"
    assert log.read_text().count("$ npm ci") == 1  # the set-up ran once

    tag = environment_tag(project.world.paths.instance, found)
    assert await project.world.engine.image_id(tag) is not None

    # A changed set-up needs consent again, also where a branch brings it.
    (project.folder / ".ctui.toml").write_text('[environment]\nsetup = "npm ci && true"\n')
    git(project.folder, "commit", "-q", "-am", "Change the set-up")
    shown = await project.shown()
    assert (shown["state"], shown["consent"]) == ("stale", "needed")
    code, _, err = await project.ctui("run", "--unattended", "go")
    assert code == 3
    assert "changed" in err
