"""Filters whose program is missing, fails, hangs or never gives the same bytes twice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ctui.client.health.filter_health import filter_check
from ctui.config.own_sections import GitConfig
from ctui.errors import CtuiError
from ctui.git.repository.repository import open_repository
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.land import land
from tests.conftest import git
from tests.filters.conftest import SECRET, commit, place_in, with_openssl

BAD = pytest.mark.parametrize(
    "program",
    ["/not/there/program", "exit 3", "sleep 1000", "openssl enc -e -aes-256-cbc -pbkdf2 -k x"],
    ids=["missing", "fails", "hangs", "never the same"],
)

pytestmark = pytest.mark.slow


def with_bad_filter(repository: Path, program: str) -> None:
    """Set up a repository whose filter worked when the person committed."""
    with_openssl(repository)
    for way in ("clean", "smudge"):
        git(repository, "config", f"filter.crypt.{way}", program)


@BAD
async def test_a_worktree_is_made_and_work_comes_home(
    repository: Path, tmp_path: Path, program: str
) -> None:
    """No filter runs on the way, so none can stand in it."""
    with_bad_filter(repository, program)
    before = time.monotonic()
    place = await place_in(repository, tmp_path)
    place.edit("a.txt", "edited\n")
    (place.path / "secret.env").touch()
    place.task_commits()
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")
    found = open_repository(repository)
    checkout = linked_checkout(found, Path(place.record.metadata), place.record)
    git(repository, "config", "user.name", "The Person")
    git(repository, "config", "user.email", "person@example.org")
    await land(found, checkout)
    assert (repository / "a.txt").read_text() == "edited\n"
    assert (repository / "secret.env").read_text() == SECRET
    assert git(place.path, "status", "--porcelain") == ""
    assert time.monotonic() - before < 60


@pytest.mark.parametrize("program", ["/not/there/program", "exit 3"])
async def test_a_landing_that_needs_the_filter_moves_nothing(
    repository: Path, tmp_path: Path, program: str
) -> None:
    """The file would be written by it, so it is said and everything stays."""
    with_openssl(repository)
    git(repository, "config", "user.name", "The Person")
    git(repository, "config", "user.email", "person@example.org")
    place = await place_in(repository, tmp_path)
    place.edit("secret.env", "NEW=secret\n")
    git(place.path, "commit", "-q", "-a", "-m", "New secret")
    (place.path / "secret.env").unlink()
    git(place.path, "checkout", "-q", "--", "secret.env")
    git(repository, "config", "filter.crypt.smudge", program)
    found, before = open_repository(repository), git(repository, "rev-parse", "main")
    checkout = linked_checkout(found, Path(place.record.metadata), place.record)
    for dry_run in (True, False):
        with pytest.raises(CtuiError, match="crypt"):
            await land(found, checkout, dry_run=dry_run)
    assert git(repository, "rev-parse", "main") == before
    assert (repository / "secret.env").read_text() == SECRET


async def test_doctor_says_what_a_task_sees(repository: Path) -> None:
    """G1, G4: before anything is started."""
    assert await filter_check(repository, GitConfig()) is None
    with_openssl(repository)
    found = await filter_check(repository, GitConfig())
    assert found is not None
    assert found.ok
    assert found.found == "crypt: tasks see 1 file as stored, and cannot bring home a changed one"
    named = await filter_check(repository, GitConfig(filters="crypt"))
    assert named is not None
    assert "crypt: runs in new tasks" in named.found
    git(repository, "config", "--unset", "filter.crypt.clean")
    named = await filter_check(repository, GitConfig(filters="crypt"))
    assert named is not None
    assert not named.ok


async def test_attributes_of_a_person_count(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A neighbour of G1: filters by `info/attributes` and by core.attributesFile."""
    with_openssl(repository)
    commit(repository, **{".gitattributes": ""})
    own = repository / ".git" / "info" / "attributes"
    own.parent.mkdir(exist_ok=True)
    own.write_text("a.txt filter=crypt\n")
    place = await place_in(repository, tmp_path)
    place.edit("a.txt", "plain\n")
    place.task_commits()
    assert "a.txt of" in (await place.bring()).problem
    own.unlink()
    everywhere = tmp_path / "attributes"
    everywhere.write_text("[attr]secret filter=crypt\nhello.txt secret\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "ignored"))
    git(repository, "config", "core.attributesFile", str(everywhere))
    place.in_task("reset", "-q", "--hard", "main")
    place.edit("hello.txt", "plain\n")
    place.task_commits()
    assert "hello.txt of" in (await place.bring()).problem
