"""Pushing to bare repositories, as a person would, without being asked anything."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ctui.errors import Conflict, CtuiError, ExternalFailure, InvalidInput, NotFound, Refused
from ctui.worktrees.landing.publish import Pushed, push, remote_url, without_credentials
from tests.conftest import git
from tests.worktrees.landing import Place, commit_file, make_place


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    return await make_place(repository, tmp_path)


@pytest.fixture
def origin(place: Place, tmp_path: Path) -> Path:
    """A bare repository with main in it."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(place.main, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(place.main, "push", "-q", "origin", "main")
    return tmp_path / "origin.git"


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_the_first_push_sets_the_upstream(place: Place, origin: Path) -> None:
    tip = place.work("a", "a")
    expected = Pushed("origin", "ctui/work", tip, changed=True, upstream_set=True)
    assert await push(place.repository, "ctui/work") == expected
    assert git(origin, "rev-parse", "ctui/work") == tip
    assert git(place.main, "rev-parse", "--abbrev-ref", "ctui/work@{upstream}") == (
        "origin/ctui/work"
    )
    again = await push(place.repository, "ctui/work")
    assert (again.changed, again.upstream_set) == (False, False)


async def test_the_target_is_pushed_as_well(place: Place, origin: Path) -> None:
    tip = place.on_main("a", "a")
    assert (await push(place.repository, "main")).commit == tip
    assert git(origin, "rev-parse", "main") == tip


async def test_nothing_of_the_remote_is_replaced(place: Place, origin: Path) -> None:
    first = place.work("a", "a")
    await push(place.repository, "ctui/work")
    git(place.path, "commit", "-q", "--amend", "-m", "Another")
    with pytest.raises(Conflict, match="has commits of ctui/work that you do not have") as refused:
        await push(place.repository, "ctui/work")
    assert refused.value.hint == "fetch and land again"
    assert git(origin, "rev-parse", "ctui/work") == first
    with pytest.raises(Conflict, match="not where it was expected"):
        await push(place.repository, "ctui/work", force_with_lease=place.oid("main"))
    with pytest.raises(InvalidInput):
        await push(place.repository, "ctui/work", force_with_lease="ctui/work")
    assert git(origin, "rev-parse", "ctui/work") == first
    await push(place.repository, "ctui/work", force_with_lease=first)
    assert git(origin, "rev-parse", "ctui/work") == place.oid("ctui/work")


async def test_commits_that_somebody_else_pushed_are_told(
    place: Place, origin: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", str(origin), "colleague")
    commit_file(tmp_path / "colleague", "theirs", "x")
    git(tmp_path / "colleague", "push", "-q")
    place.on_main("ours", "x")
    with pytest.raises(Conflict, match="has commits of main"):
        await push(place.repository, "main")


async def test_the_remote_says_why_it_does_not_take_it(place: Place, origin: Path) -> None:
    write_program(origin / "hooks" / "pre-receive", "echo 'no \033[31mpushes today' >&2; exit 1")
    place.work("a", "a")
    with pytest.raises(Refused, match="origin does not take ctui/work: pre-receive hook declined"):
        await push(place.repository, "ctui/work")


async def test_no_hook_runs_and_nothing_else_is_pushed(
    place: Place, origin: Path, tmp_path: Path
) -> None:
    write_program(place.repository.common_dir / "hooks" / "pre-push", f"touch {tmp_path}/executed")
    git(place.main, "config", "push.followTags", "true")
    place.work("a", "a")
    git(place.path, "tag", "-a", "-m", "v1", "v1")
    await push(place.repository, "ctui/work")
    assert not (tmp_path / "executed").exists()
    assert git(origin, "tag") == ""


async def test_the_remote_is_origin_or_the_only_one_or_named(place: Place, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no remote"):
        await push(place.repository, "main")
    for name in ("one", "two"):
        git(tmp_path, "init", "-q", "--bare", f"{name}.git")
    git(place.main, "remote", "add", "one", str(tmp_path / "one.git"))
    assert (await push(place.repository, "main")).remote == "one"
    git(place.main, "remote", "add", "two", str(tmp_path / "two.git"))
    with pytest.raises(InvalidInput, match="several remotes"):
        await push(place.repository, "main")
    assert (await push(place.repository, "main", remote="two")).remote == "two"
    for name in ("three", "--mirror", str(tmp_path / "one.git")):
        with pytest.raises(NotFound):
            await push(place.repository, "main", remote=name)
    with pytest.raises(NotFound):
        await push(place.repository, "nowhere", remote="one")


async def test_ssh_asks_nothing_unless_the_person_has_a_command(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    write_program(
        tmp_path / "bin" / "ssh", f'echo "$@" > {seen}; echo Permission denied >&2; exit 255'
    )
    mine = write_program(tmp_path / "mine", f"echo mine > {seen}; exit 255")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    for name in ("GIT_SSH", "GIT_SSH_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    git(place.main, "remote", "add", "origin", "git@example.org:a/b.git")
    with pytest.raises(Refused, match="does not let you push main") as refused:
        await push(place.repository, "main")
    assert "git push origin main" in refused.value.hint
    assert "BatchMode=yes" in seen.read_text()
    monkeypatch.setenv("GIT_SSH_COMMAND", str(mine))
    with pytest.raises(CtuiError):
        await push(place.repository, "main")
    assert seen.read_text() == "mine\n"
    monkeypatch.delenv("GIT_SSH_COMMAND")
    seen.write_text("")
    git(place.main, "config", "core.sshCommand", str(mine))
    with pytest.raises(CtuiError):
        await push(place.repository, "main")
    assert seen.read_text() == "mine\n"


async def test_a_password_in_the_address_is_in_no_message(place: Place) -> None:
    address = "http://person:hunter2@127.0.0.1:9/a/b.git"
    git(place.main, "remote", "add", "origin", address)
    with pytest.raises(ExternalFailure, match="origin cannot be reached") as failed:
        await push(place.repository, "main")
    error = failed.value
    assert "hunter2" not in f"{error.message}{error.hint}{error.argv}{error.stderr}"
    assert await remote_url(place.repository, "origin") == address
    assert without_credentials(f"fatal: {address}") == "fatal: http://127.0.0.1:9/a/b.git"


async def test_a_remote_that_is_gone_is_said_in_one_line(place: Place, tmp_path: Path) -> None:
    git(place.main, "remote", "add", "origin", str(tmp_path / "nowhere.git"))
    with pytest.raises(ExternalFailure, match=r"^origin cannot be reached$"):
        await push(place.repository, "main")
