"""A Go project: its compiler from a Dockerfile, its modules in HOME, which begins each task's."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.sandbox.docker.image import image_tag
from tests.conftest import ENGINE_WIDE
from tests.projects.conftest import Project, clone_of
from tests.projects.sources import GO
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.soak, ENGINE_WIDE]


@pytest.mark.timeout(900)
async def test_it_is_built_and_tested_with_the_modules_that_its_set_up_left_at_home(
    person: Person, projects: list[Project], tmp_path: Path
) -> None:
    """Done when: Go, unattended; HOME of the set-up is each task's seed, in its own copy."""
    base = image_tag(ImageConfig())
    files = {name: text.replace("{base}", base) for name, text in GO.items()}
    project = Project(person, clone_of(files, tmp_path))
    projects.append(project)
    await project.built()
    for name in ("first", "second"):
        code, printed = await project.task(
            name,
            "bash go vet ./... && go test -count=1 ./...",
            "bash ls $HOME/go/pkg/mod/cache/download; test ! -e $HOME/mine && touch $HOME/mine",
        )
        assert code == 0, printed
        assert "example.org/ids" in printed
        assert "FAIL" not in printed
        assert "github.com" in printed
