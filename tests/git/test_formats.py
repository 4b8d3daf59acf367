"""Formats of repositories that ctui does not read: one clear line, before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.repository.repository import open_repository
from tests.cli.test_bad_input import refused
from tests.conftest import git

LINE_LIMIT = 300


def reftable(folder: Path) -> None:
    """Make a repository what git 2.45 and newer make with `--ref-format=reftable`."""
    git_dir = folder / ".git"
    (git_dir / "reftable").mkdir()
    (git_dir / "reftable" / "tables.list").write_text("0x000000000001-0x000000000001-abc.ref\n")
    (git_dir / "HEAD").write_text("ref: refs/heads/.invalid\n")
    heads = git_dir / "refs" / "heads"
    for name in ("main",):
        (heads / name).unlink()
    heads.rmdir()
    heads.write_text("this repository uses the reftable format\n")
    git(folder, "config", "--file", str(git_dir / "config"), "extensions.refStorage", "reftable")
    git(folder, "config", "--file", str(git_dir / "config"), "core.repositoryFormatVersion", "1")


def test_refs_in_tables(repository: Path) -> None:
    """G10: reftable is named, with the command that leads out of it."""
    reftable(repository)
    with pytest.raises(Refused, match="keeps its refs as reftable") as caught:
        open_repository(repository)
    assert caught.value.hint == f"git -C {repository} refs migrate --ref-format=files"


def test_long_names_of_objects(tmp_path: Path) -> None:
    """G10: SHA-256 is named, with the way that a history can be copied."""
    git(tmp_path, "init", "-q", "-b", "main", "--object-format=sha256", "new")
    (tmp_path / "new" / "a").write_text("a")
    git(tmp_path / "new", "add", ".")
    git(tmp_path / "new", "commit", "-q", "-m", "Begin")
    with pytest.raises(Refused, match="has sha256 objects") as caught:
        open_repository(tmp_path / "new")
    assert "git fast-export --all" in caught.value.hint


@pytest.mark.parametrize("command", [("worktree", "list"), ("worktree", "create", "x")])
def test_each_command_says_it_at_its_start(repository: Path, command: tuple[str, ...]) -> None:
    """G10: one line, and nothing was made."""
    reftable(repository)
    before = sorted(repository.rglob("*"))
    said = refused(repository, *command)
    assert "keeps its refs as reftable" in said
    assert len(said) < LINE_LIMIT
    assert sorted(repository.rglob("*")) == before


def test_a_worktree_of_such_a_repository(repository: Path, tmp_path: Path) -> None:
    """G10: it is named from within a linked worktree as well."""
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    (repository / ".git" / "refs" / "heads" / "linked").unlink()
    reftable(repository)
    with pytest.raises(Refused, match="keeps its refs as reftable"):
        open_repository(tmp_path / "linked")


def test_a_bare_one(repository: Path, tmp_path: Path) -> None:
    """G10: with G7, where the settings are the repository's own."""
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    git(tmp_path / "bare.git", "config", "core.repositoryFormatVersion", "1")
    git(tmp_path / "bare.git", "config", "--file", "config", "extensions.refStorage", "reftable")
    with pytest.raises(Refused, match="keeps its refs as reftable"):
        open_repository(tmp_path / "bare.git")
