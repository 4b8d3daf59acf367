"""`ctui uninstall`: all of it goes, and nothing of the person's."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ctui.cli.engine.uninstall import command
from ctui.paths import Paths, private_folder
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.tasks.model import Answer
from ctui.tasks.secrets.registry import kept_file
from ctui.tasks.secrets.values import store_value
from tests.conftest import ENGINE_WIDE
from tests.tasks.conftest import Person

_NOBODY = "tcp://127.0.0.1:1"


@pytest.fixture
def filled(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Something in each folder, and no engine."""
    monkeypatch.setenv("DOCKER_HOST", _NOBODY)
    for folder in paths:
        (private_folder(folder) / "something").touch()
    return paths


def test_without_consent_it_is_only_shown(filled: Paths) -> None:
    result = CliRunner().invoke(command, [], standalone_mode=False)
    assert result.return_value == 3
    for folder in filled:
        assert f"would remove folder {folder}\n" in result.output
        assert (folder / "something").exists()
    assert "stays: Docker: no Docker engine answers" in result.output
    assert "`ctui uninstall --yes`" in result.output


def test_with_it_the_folders_are_gone(filled: Paths) -> None:
    result = CliRunner().invoke(command, ["--yes"], standalone_mode=False)
    assert result.return_value == 0
    assert not any(folder.exists() for folder in filled)


def test_secrets_go_from_where_ctui_stored_them(
    filled: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder that the person named stays, and the value in it goes all the same."""
    monkeypatch.setenv("CTUI_CONFIG_DIR", str(tmp_path / "own"))
    paths = filled._replace(config=tmp_path / "own")
    store_value(paths, "TOKEN", "s3cr3t-v4lue", redact=True)
    result = CliRunner().invoke(command, ["--yes"], standalone_mode=False)
    assert "removed secret TOKEN\n" in result.output
    assert not kept_file(paths, "TOKEN").exists()


def test_a_folder_that_the_person_named_stays(
    filled: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    (own / "thesis").mkdir(parents=True)
    monkeypatch.setenv("CTUI_CACHE_DIR", str(own))
    result = CliRunner().invoke(command, ["--yes"], standalone_mode=False)
    assert f"stays: {own}: you chose it" in result.output
    assert (own / "thesis").is_dir()
    assert not filled.state.exists()


def test_worktrees_stay(filled: Paths) -> None:
    kept = filled.worktrees / "repository" / "feature"
    kept.mkdir(parents=True)
    result = CliRunner().invoke(command, ["--yes"], standalone_mode=False)
    assert f"stays: {filled.worktrees}: worktrees are in it" in result.output
    assert kept.is_dir()


@pytest.mark.engine
@ENGINE_WIDE
async def test_of_the_engine_everything_goes_and_the_work_stays(person: Person) -> None:
    paths, engine = person.world.paths, person.world.engine
    await person.start("busy", "bash touch made", "say Done.")
    ask = await person.asked("busy")
    code, said = await person.ctui("uninstall", "--yes")
    assert (code, "not over yet: busy" in said) == (1, True)
    await person.answer(ask, Answer("allow"))
    task = await person.idle("busy")
    code, said = await person.ctui("uninstall")
    assert code == 3
    assert {"sandbox", "volume", "folder"} <= {line.split()[2] for line in said.splitlines()}
    code, said = await person.ctui("uninstall", "--yes")
    assert (code, f"stays: {paths.worktrees}" in said) == (0, True)
    labels = {LABEL_INSTANCE: paths.instance}
    assert not await engine.find(labels)
    assert not await engine.volumes(labels)
    assert not paths.state.exists()
    assert (Path(task.worktree) / "made").is_file()
