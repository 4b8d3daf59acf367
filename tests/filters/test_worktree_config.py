"""The worktree's own configuration: git's rules for it, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.git.repository.repository import open_repository
from ctui.worktrees.as_stored import enable_worktree_config
from ctui.worktrees.trash.restore import restore_worktree
from tests.conftest import git
from tests.filters.conftest import SECRET, place_in, with_git_crypt, with_openssl
from tests.worktrees.looking import remove_worktree, worktree_status


async def test_what_is_the_main_checkouts_alone_moves_to_its_own_file(
    repository: Path, tmp_path: Path
) -> None:
    """A neighbour of G2: core.worktree would else be that of all worktrees (git-worktree(1))."""
    with_openssl(repository)
    git_dir = tmp_path / "apart.git"
    (repository / ".git").rename(git_dir)
    (repository / ".git").write_text(f"gitdir: {git_dir}\n")
    git(repository, "config", "core.worktree", str(repository))
    place = await place_in(repository, tmp_path)
    assert "worktree" not in git(git_dir, "config", "--file", "config", "--list").replace(
        "extensions.worktreeconfig", ""
    )
    assert git(repository, "rev-parse", "--show-toplevel") == str(repository)
    assert git(place.path, "rev-parse", "--show-toplevel") == str(place.path)
    assert git(place.path, "status", "--porcelain") == ""
    found = open_repository(repository)
    assert found.work_tree == repository
    assert open_repository(place.path).common_dir == git_dir
    other = await place_in(repository, tmp_path, name="other")
    assert not any("extensions" in said for said in other.said)


@pytest.mark.parametrize("bare", ["true", "false"])
async def test_a_bare_layout_stays_bare(repository: Path, tmp_path: Path, bare: str) -> None:
    found = open_repository(repository)
    git(repository, "config", "core.bare", bare)
    if bare == "true":
        (repository / ".git" / "index").unlink()
    assert await enable_worktree_config(found)
    assert not await enable_worktree_config(found)
    kept = git(repository, "--git-dir=.git", "config", "core.bare")
    assert kept == bare
    git(repository, "--git-dir=.git", "worktree", "add", "-q", str(tmp_path / "linked"))
    assert git(tmp_path / "linked", "rev-parse", "--is-bare-repository") == "false"


async def test_settings_that_are_there_stay(repository: Path, tmp_path: Path) -> None:
    """A neighbour of G8: worktrees of a sparse checkout have a configuration of their own."""
    with_openssl(repository)
    git(repository, "config", "extensions.worktreeConfig", "true")
    git(repository, "config", "--worktree", "some.setting", "kept")
    place = await place_in(repository, tmp_path)
    assert git(repository, "config", "--worktree", "some.setting") == "kept"
    assert "extensions" not in " ".join(place.said)
    assert git(place.path, "status", "--porcelain") == ""


async def test_a_restored_worktree_still_leaves_the_filter_out(
    repository: Path, tmp_path: Path
) -> None:
    with_git_crypt(repository)
    place = await place_in(repository, tmp_path)
    found = open_repository(repository)
    status = await worktree_status(found, place.record)
    assert status.changes is not None
    entry = await remove_worktree(found, status, place.record, force=True)
    await restore_worktree(found, entry.id)
    (place.path / "secret.env").touch()
    assert git(place.path, "status", "--porcelain") == ""
    assert SECRET not in (place.path / "secret.env").read_bytes().decode("latin-1")
