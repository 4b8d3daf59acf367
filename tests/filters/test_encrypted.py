"""Encrypted files: a task sees them encrypted, and nothing of it comes home in plain text."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ctui.git.exchange.imports import import_work
from tests.conftest import git
from tests.filters.conftest import ENCRYPTED, SECRET, Filtered, Setup, place_in, with_openssl


@pytest.fixture
async def place(repository: Path, tmp_path: Path, setup: Setup) -> Filtered:
    setup(repository)
    return await place_in(repository, tmp_path)


def is_clean(place: Filtered) -> bool:
    return git(place.path, "status", "--porcelain") == ""


@ENCRYPTED
async def test_the_worktree_has_the_bytes_that_are_stored(place: Filtered) -> None:
    """G2: an unlocked git-crypt repository gives a worktree, with the file as it is stored."""
    assert (place.path / "secret.env").read_bytes() == place.stored("HEAD:secret.env")
    assert SECRET.encode() not in (place.path / "secret.env").read_bytes()
    assert (place.repository / "secret.env").read_text() == SECRET


@ENCRYPTED
async def test_the_persons_own_git_leaves_the_file_alone(place: Filtered) -> None:
    """G2: in the worktree `git status` is clean and `git add -A` changes nothing."""
    assert is_clean(place)
    (place.path / "secret.env").touch()
    (place.path / "hello.txt").touch()
    assert is_clean(place)
    git(place.path, "add", "-A")
    assert is_clean(place)
    git(place.path, "rm", "-q", "--cached", "secret.env")
    git(place.path, "add", "-A")
    assert is_clean(place)
    assert git(place.path, "fsck", "--no-dangling") == ""


@ENCRYPTED
async def test_what_the_person_writes_there_is_still_encrypted(place: Filtered) -> None:
    place.edit("secret.env", "NEW=plain\n")
    git(place.path, "commit", "-q", "-a", "-m", "New secret")
    stored = place.stored("refs/heads/ctui/work:secret.env")
    assert b"plain" not in stored
    assert is_clean(place)
    (place.repository / "secret.env").unlink()
    git(place.repository, "merge", "-q", "ctui/work")
    git(place.repository, "checkout", "--", "secret.env")
    assert (place.repository / "secret.env").read_text() == "NEW=plain\n"


@ENCRYPTED
async def test_the_setting_that_the_worktree_needs_is_said(place: Filtered) -> None:
    assert git(place.repository, "config", "extensions.worktreeConfig") == "true"
    assert any("extensions.worktreeConfig is now set" in said for said in place.said)
    assert git(place.repository, "status", "--porcelain") == ""


async def test_a_repository_without_filters_gets_no_setting(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "config", "filter.idle.clean", "cat")
    place = await place_in(repository, tmp_path)
    assert place.said == []
    assert "worktreeConfig" not in (repository / ".git" / "config").read_text()
    assert not (Path(place.record.metadata) / "config.worktree").exists()


@ENCRYPTED
async def test_other_work_comes_home_and_the_encrypted_file_stays(place: Filtered) -> None:
    """G1: a task edits another file and adds everything."""
    before = place.stored("main:secret.env")
    (place.path / "secret.env").touch()
    place.edit("a.txt", "edited\n")
    tip = place.task_commits()
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")
    assert git(place.repository, "rev-parse", "ctui/work") == tip
    assert place.stored("ctui/work:secret.env") == before


@ENCRYPTED
@pytest.mark.parametrize("kept", [True, False], ids=["with the attribute", "without it"])
async def test_plain_text_at_its_path_never_comes_home(place: Filtered, *, kept: bool) -> None:
    """G1: also where the task removed the attribute."""
    place.edit("secret.env", "LEAK=plain\n")
    if not kept:
        place.edit(".gitattributes", "")
    tip = place.task_commits()
    result = await place.bring()
    assert "heads/ctui/work (secret.env of" in result.problem
    assert "did not go through the filter" in result.problem
    assert result.branch == "unchanged"
    assert git(place.repository, "rev-parse", "ctui/work") == place.record.base
    blob = place.in_task("rev-parse", f"{tip}:secret.env")
    with pytest.raises(subprocess.CalledProcessError):
        git(place.repository, "cat-file", "-e", blob)


@ENCRYPTED
async def test_a_commit_that_was_taken_back_counts_as_well(place: Filtered) -> None:
    """G1: a push sends every commit, so the tip alone says nothing."""
    kept = (place.path / "secret.env").read_bytes()
    place.edit("secret.env", "LEAK=plain\n")
    place.task_commits("Leak")
    place.edit("secret.env", kept)
    place.task_commits("Take it back")
    result = await place.bring()
    assert "secret.env of" in result.problem
    assert result.refs == ()


@ENCRYPTED
async def test_other_refs_come_home_beside_the_one_that_is_held_back(place: Filtered) -> None:
    place.in_task("switch", "-q", "-c", "good")
    place.edit("a.txt", "good\n")
    place.task_commits()
    place.in_task("switch", "-q", "ctui/work")
    place.edit("secret.env", "LEAK=plain\n")
    place.in_task("stash")
    place.edit("b.txt", "b\n")
    place.task_commits()
    result = await place.bring()
    assert {ref.name for ref in result.refs} == {
        "refs/ctui/t1/heads/good",
        "refs/ctui/t1/heads/ctui/work",
    }
    assert result.branch == "advanced"
    assert "1 ref of the task is not imported: stash/" in result.problem


@ENCRYPTED
async def test_it_comes_home_after_the_task_took_it_out_of_its_history(place: Filtered) -> None:
    place.edit("secret.env", "LEAK=plain\n")
    place.edit("a.txt", "edited\n")
    place.task_commits()
    assert (await place.bring()).problem
    place.in_task("checkout", "-q", "main", "--", "secret.env")
    place.in_task("commit", "-q", "--amend", "-m", "Without it")
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")


@ENCRYPTED
async def test_what_was_stored_there_before_may_come_back(place: Filtered) -> None:
    """A neighbour of G1: reverts and renames of encrypted files are of stored bytes."""
    (place.repository / "secret.env").write_text("OTHER=secret\n")
    git(place.repository, "commit", "-q", "-a", "-m", "Another secret")
    other = await place_in(place.repository, place.repository.parent, name="other")
    other.in_task("checkout", "-q", "main~1", "--", "secret.env")
    other.task_commits("As it was")
    other.in_task("mv", "secret.env", "old.txt")
    other.task_commits("Renamed")
    result = await other.bring()
    assert (result.problem, result.branch) == ("", "advanced")


async def test_a_merge_brings_what_the_target_has_meanwhile(
    repository: Path, tmp_path: Path
) -> None:
    from tests.filters.conftest import with_openssl

    with_openssl(repository)
    place = await place_in(repository, tmp_path)
    (repository / "secret.env").write_text("OTHER=secret\n")
    (repository / ".gitattributes").write_text("*.env filter=crypt\n")
    git(repository, "commit", "-q", "-a", "-m", "Another secret")
    place.edit("b.txt", "b\n")
    place.task_commits()
    main = git(repository, "rev-parse", "main")
    place.in_task("merge", "-q", "-m", "Merge main", main)
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")
    place.edit("new.env", "LEAK=plain\n")
    place.task_commits()
    assert "new.env of" in (await place.bring()).problem


@ENCRYPTED
async def test_a_new_file_at_an_encrypted_path_is_held_back(place: Filtered) -> None:
    place.edit("deep/secret.env", "LEAK=plain\n")
    place.task_commits()
    assert "deep/secret.env of" in (await place.bring()).problem


async def test_a_branch_without_a_commit_is_held_against_the_others(
    repository: Path, tmp_path: Path
) -> None:
    """A neighbour of G1: a task that began on a new branch has no base whose attributes count."""
    with_openssl(repository)
    place = await place_in(repository, tmp_path)
    place.in_task("checkout", "-q", "--orphan", "fresh")
    place.in_task("rm", "-q", "-r", "--cached", ".")
    (place.path / ".gitattributes").unlink()
    place.edit("secret.env", SECRET)
    place.task_commits()
    result = await import_work(place.private, "t1", None, None)
    assert "secret.env of" in result.problem
    assert result.refs == ()
