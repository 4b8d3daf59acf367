"""Which repositories are opened, and which are refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.repository.alternates import object_directories
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from tests.conftest import git


def test_a_checkout_that_is_elsewhere_is_refused_until_it_is_named(
    repository: Path, tmp_path: Path
) -> None:
    apart = tmp_path / "gits" / "apart.git"
    apart.parent.mkdir()
    (repository / ".git").rename(apart)
    (repository / ".git").write_text(f"gitdir: {apart}\n")
    with pytest.raises(Refused, match="elsewhere") as refused:
        open_repository(repository)
    # G15: what is written into the shared configuration counts for other programs too.
    assert "config" not in refused.value.hint
    commands = refused.value.hint.partition("`")[2].rstrip("`").replace("CHECKOUT", str(repository))
    subprocess.run(["sh", "-ec", commands], check=True)
    assert open_repository(repository).work_tree == repository


def test_a_checkout_that_is_elsewhere_and_named_is_opened(repository: Path, tmp_path: Path) -> None:
    apart = tmp_path / "apart.git"
    (repository / ".git").rename(apart)
    (repository / ".git").write_text(f"gitdir: {apart}\n")
    git(repository, "config", "core.worktree", str(repository))
    assert open_repository(repository).work_tree == repository


def test_a_submodule_is_a_repository_as_any_other(repository: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    git(tmp_path, "init", "-q", "outer")
    allowed = ("-c", "protocol.file.allow=always")
    git(outer, *allowed, "submodule", "--quiet", "add", str(repository), "inner")
    found = open_repository(outer / "inner")
    assert (found.common_dir, found.work_tree) == (outer / ".git/modules/inner", outer / "inner")


def test_a_link_that_never_ends_holds_nobody_up(repository: Path) -> None:
    os.mkfifo(repository / ".git" / "commondir")
    assert open_repository(repository).common_dir == repository / ".git"


async def test_a_repository_that_a_task_can_have_made_is_refused(
    repository: Path, tmp_path: Path
) -> None:
    """Its settings name programs, and a checkout of it would run them on the host."""
    record = await create_worktree(open_repository(repository), tmp_path / "w", name="work")
    nested = Path(record.path) / "sub"
    for name in ("sub", "sub/deeper"):
        git(Path(record.path), "init", "-q", name)
        git(Path(record.path) / name, "commit", "-q", "--allow-empty", "-m", "Nested")
    (Path(record.path) / "link").mkdir()
    (Path(record.path) / "link" / ".git").write_text("gitdir: ../sub/.git\n")
    for folder in (nested, nested / "deeper", Path(record.path) / "link"):
        with pytest.raises(Refused, match="task can have made it"):
            open_repository(folder)
    assert open_repository(Path(record.path)).common_dir == repository / ".git"


def test_lines_of_alternates_end_as_git_ends_them(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "an\x0bother\u2028one"
    other.mkdir()
    (repository / ".git/objects/info/alternates").write_text(f"# none\n\n{other}\n")
    assert object_directories(repository / ".git")[1:] == [other]
