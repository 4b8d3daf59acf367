"""`ctui env init`: a proposal for each of the twelve ecosystems."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.definition.ecosystems import ECOSYSTEMS, Ecosystem
from ctui.environments.definition.repository_file import read_environment
from ctui.environments.proposal import propose
from ctui.git.repository.repository import open_repository
from tests.cli.commands import ctui, refused
from tests.conftest import git
from tests.environments.test_choice import put


@pytest.mark.parametrize("one", ECOSYSTEMS, ids=lambda one: one.name)
def test_each_ecosystem_is_known_by_its_lock_file(repository: Path, one: Ecosystem) -> None:
    put(repository, {one.files[0]: "x\n"})
    proposal = propose(CommitFiles(open_repository(repository), "HEAD"))
    assert proposal is not None
    assert proposal.ecosystems == (one,)
    found = read_environment(proposal.text, "f")
    assert found is not None
    assert [step.command for step in found.definition.steps] == [one.setup]
    assert found.definition.inputs == (one.files[0],)
    assert (found.definition.carry or ()) == one.carry


def test_there_are_twelve() -> None:
    assert len(ECOSYSTEMS) == 12


def test_init_writes_what_env_show_reads_and_never_writes_over_it(repository: Path) -> None:
    assert "no lock file" in refused(repository, "env", "init")
    put(repository, {"package-lock.json": "{}\n", "requirements.txt": "six\n"})
    ctui(repository, "env", "init", "--print")
    assert not (repository / ".ctui.toml").exists()
    ctui(repository, "env", "init")
    text = (repository / ".ctui.toml").read_text()
    assert "npm ci" in text
    assert "has an [environment] already" in refused(repository, "env", "init")
    assert (repository / ".ctui.toml").read_text() == text
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Set up")
    assert "environment.setup" in ctui(repository, "env", "show").stdout


def test_init_keeps_what_a_file_says_already(repository: Path) -> None:
    put(repository, {"go.sum": "x\n", ".ctui.toml": '[claude]\nmodel = "haiku"\n'})
    ctui(repository, "env", "init")
    text = (repository / ".ctui.toml").read_text()
    assert text.startswith('[claude]\nmodel = "haiku"\n')
    assert "go mod download" in text
