"""`ctui worktree land --check` where no container is needed: what is checked, what stops it."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from ctui.cli.worktree.worktree_check import wanted_check
from ctui.environments.check.log import CheckLog
from ctui.environments.check.wanted import committed_check
from ctui.environments.lookup import plan_of
from ctui.environments.records import Records
from ctui.errors import InvalidInput
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.services import Service
from tests.cli.commands import ctui, refused
from tests.cli.test_worktree import made
from tests.conftest import git
from tests.environments.test_choice import put
from tests.environments.test_consent import TABLE, as_built
from tests.worktrees.landing import snapshot


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")


@pytest.fixture
def work(repository: Path) -> Path:
    git(repository, "config", "user.name", "Ada")
    git(repository, "config", "user.email", "ada@example.org")
    return made(repository, "work", commits=1)


@pytest.mark.usefixtures("work")
def test_a_check_that_nobody_names_is_wrong_usage(repository: Path) -> None:
    before = snapshot(repository)
    line = refused(repository, "worktree", "land", "work", "--check", code=2)
    assert "no check is named" in line
    assert "ctui config edit" in line
    both = refused(
        repository, "worktree", "land", "work", "--no-check", "--check-command", "x", code=2
    )
    assert "--no-check does not go with --check-command" in both
    dry = refused(repository, "worktree", "land", "work", "--dry-run", "--check", code=2)
    assert "--dry-run checks nothing" in dry
    assert snapshot(repository) == before


@pytest.mark.usefixtures("work")
def test_what_the_person_has_set_is_checked_unless_they_say_no(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTUI_LANDING_CHECK", "make test")
    before = snapshot(repository)
    done = ctui(repository, "worktree", "land", "work", code=1)
    assert "in ctui's default image: make test" in done.stderr
    assert snapshot(repository) == before
    would = ctui(repository, "worktree", "land", "work", "--dry-run")
    assert "would land 1 commit" in would.stdout
    landed = ctui(repository, "worktree", "land", "work", "--no-check", "--json")
    assert "check" not in json.loads(landed.stdout)
    assert git(repository, "rev-parse", "main^2") == git(repository, "rev-parse", "ctui/work")


def test_an_environment_that_is_not_built_or_agreed_to_is_exit_code_3(
    repository: Path, paths: Paths
) -> None:
    """Before anything runs; the line names the command that helps, which works as it stands."""
    git(repository, "config", "user.name", "Ada")
    git(repository, "config", "user.email", "ada@example.org")
    put(repository, TABLE)
    as_built(paths, repository)
    work = made(repository, "work")
    put(work, {"package.json": "{}\n", ".ctui.toml": '[environment]\nsetup = "npm ci --all"\n'})
    before = snapshot(repository)
    arguments = ("worktree", "land", "work", "--check-command", "true")
    line = refused(repository, *arguments, code=3)
    assert "needs your consent" in line
    assert "--yes` consents" in line
    commit = line.split("ctui env build --base ")[1].split()[0]
    shown = ctui(repository, "env", "show", "--base", commit, "--json")
    assert json.loads(shown.stdout)["consent"] == "needed"
    plan = plan_of(paths, open_repository(repository), commit)
    assert plan is not None
    Records(paths).give_consent(str(repository / ".git"), plan.consent, ".ctui.toml")
    line = refused(repository, *arguments, code=3)
    assert "is not built (stale)" in line
    assert snapshot(repository) == before
    made_of_it = as_built(paths, work)
    service = Service(name="db", image="postgres")
    Records(paths).save(msgspec.structs.replace(made_of_it, id=plan.id, services=(service,)))
    line = refused(repository, *arguments, code=1)
    assert "has services (db)" in line
    assert "--no-check" in line
    assert snapshot(repository) == before


def test_a_repository_names_its_check_at_the_target(repository: Path, paths: Paths) -> None:
    """What the branch says of it does not count: it would check itself."""
    found = open_repository(repository)
    assert committed_check(found, "main") == ""
    put(repository, {".ctui.toml": '[landing]\ncheck = "make test"\n[environment]\nsetup = []\n'})
    work = made(repository, "work")
    put(work, {".ctui.toml": '[landing]\ncheck = "true"\n'})
    assert committed_check(found, "main") == "make test"
    assert committed_check(found, "ctui/work") == "true"
    for text, said in (
        ("[landing]\ncheck = 7\n", "landing.check"),
        ("[landing\n", "is not TOML"),
        (f"[landing]\ncheck = '{'x' * 5000}'\n", "is too large"),
    ):
        put(work, {".ctui.toml": text})
        with pytest.raises(InvalidInput, match=said):
            committed_check(found, "ctui/work")
    assert not paths.config_file.exists()


def test_a_log_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    with CheckLog(tmp_path / "log", half=40) as log:
        for number in range(100):
            log.write(f"line {number:03}")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[:4] == ["line 000", "line 001", "line 002", "line 003"]
    assert lines[4] == "[828 bytes are left out here]"
    assert lines[5:] == ["line 096", "line 097", "line 098", "line 099"]


def test_only_the_persons_own_setting_checks_unasked(
    paths: Paths, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository, {".ctui.toml": '[landing]\ncheck = "make test"\n'})
    monkeypatch.chdir(repository)
    assert wanted_check("", check=None, dry_run=False) is None
    assert wanted_check("", check=True, dry_run=False) == ""
    paths.config.mkdir(parents=True, mode=0o700)
    paths.config_file.write_text('[landing]\ncheck = "tox"\n')
    assert wanted_check("", check=None, dry_run=False) == "tox"
    assert wanted_check("", check=False, dry_run=False) is None
    assert wanted_check("ruff", check=None, dry_run=False) == "ruff"


def test_a_log_of_short_lines_takes_no_more_memory_than_it_has_bytes(tmp_path: Path) -> None:
    tracemalloc.start()
    with CheckLog(tmp_path / "log", half=1 << 16) as log:
        for _ in range(1 << 18):
            log.write("")
        now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert now < 4 << 16
    assert (tmp_path / "log").stat().st_size <= (2 << 16) + 100
