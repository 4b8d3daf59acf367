"""A Python project with a devcontainer.json: a Dockerfile, pip in its set-up, pytest in a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.sandbox.docker.image import image_tag
from tests.conftest import ENGINE_WIDE, git
from tests.projects.conftest import Project, clone_of
from tests.projects.sources import PYTHON
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.slow, ENGINE_WIDE]


@pytest.mark.timeout(900)
async def test_a_devcontainer_is_built_set_up_and_tested_in_from_a_fresh_clone(
    person: Person, projects: list[Project], tmp_path: Path
) -> None:
    """Done when: a Python project with pip, unattended; a second task starts at once."""
    base = image_tag(ImageConfig())
    project = Project(
        person, clone_of({n: t.replace("{base}", base) for n, t in PYTHON.items()}, tmp_path)
    )
    projects.append(project)
    shown = await project.shown()
    statuses = {one["key"]: one["status"] for one in shown["keys"]}
    assert statuses["initializeCommand"] == "refused"
    assert statuses["runArgs: --privileged"] == "refused"
    assert statuses["containerEnv.LD_PRELOAD"] == "refused"
    assert statuses["build.dockerfile"] == statuses["postCreateCommand"] == "used"

    found = await project.built()
    look = "bash pytest -q; command -v pytest; echo unit:$UNIT preload:$LD_PRELOAD."
    for name in ("first", "second"):
        code, printed = await project.task(
            name,
            look,
            "bash cat /tool",
            "bash test ! -e /cache/mine && touch /cache/mine && echo own-volume",
            "bash git status --porcelain | grep . || true",
        )
        assert code == 0, printed
        assert "1 passed" in printed
        assert "ruler" in printed
        assert "/workspace/.venv/bin/pytest" in printed
        assert "unit:cm preload:." in printed
        assert "own-volume" in printed
        assert "own-volume" in printed  # nobody else's: it was empty
        assert "?? " not in printed
    log = (project.world.paths.state / "environments" / f"{found}.log").read_text()
    assert log.count("$ .venv/bin/pip install") == 1  # for both tasks

    # Another lock file is another set-up, and no question.
    (project.folder / "requirements.txt").write_text("pytest==8.3.3\n")
    git(project.folder, "commit", "-q", "-am", "Another pytest")
    shown = await project.shown()
    assert (shown["state"], shown["consent"]) == ("stale", "given")
    assert shown["id"] != found
