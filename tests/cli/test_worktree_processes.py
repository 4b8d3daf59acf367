"""Processes of git that `ctui worktree` starts: each costs as much as the reading of many files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.commands import ctui
from tests.conftest import git


class CountedGit:
    """A `git` in front of git that notes what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self._noted = folder / "noted"
        program = self.folder / "git"
        program.write_text(
            f'#!/bin/sh\necho "$@" >> "{self._noted}"\nexec "{shutil.which("git")}" "$@"\n'
        )
        program.chmod(0o755)

    def asked(self, folder: Path, *arguments: str) -> list[str]:
        """Run `ctui worktree`, and return the git commands that it ran."""
        self._noted.unlink(missing_ok=True)
        ctui(folder, "worktree", *arguments, PATH=f"{self.folder}:{os.environ['PATH']}")
        lines = self._noted.read_text().splitlines()
        words = [[word for word in line.split() if word[:2] != "--"] for line in lines]
        return [found[0] for found in words if found]


@pytest.fixture
def counted(tmp_path: Path) -> CountedGit:
    return CountedGit(tmp_path)


def test_a_creation_asks_git_for_little_more_than_the_files(
    repository: Path, counted: CountedGit
) -> None:
    asked = counted.asked(repository, "create", "work")
    assert sorted(asked) == ["branch", "config", "config", "ls-files", "reset", "worktree"]


def test_a_list_takes_a_status_for_each_worktree(repository: Path, counted: CountedGit) -> None:
    for name in ("one", "two", "three"):
        ctui(repository, "worktree", "create", name)
    ctui(repository, "worktree", "list")
    assert sorted(counted.asked(repository, "list")) == ["config", "status", "status", "status"]


def test_a_removal_looks_once_before_and_once_in_the_trash(
    repository: Path, counted: CountedGit
) -> None:
    ctui(repository, "worktree", "create", "work")
    asked = counted.asked(repository, "remove", "work")
    assert asked.count("status") == 2
    assert asked.count("ls-files") == 1


def test_a_clean_up_looks_only_at_the_files_of_what_may_go(
    repository: Path, counted: CountedGit
) -> None:
    for name in ("begun", "open"):
        ctui(repository, "worktree", "create", name)
    path = ctui(repository, "worktree", "create", "merged").stdout.strip()
    for folder in (Path(path), Path(path).with_name("open")):
        (folder / folder.name).write_text("work\n")
        git(folder, "add", folder.name)
        git(folder, "commit", "-q", "-m", f"Work in {folder.name}")
    git(repository, "merge", "-q", "--squash", "ctui/merged")
    git(repository, "commit", "-q", "-m", "Take it")
    assert sorted(counted.asked(repository, "clean", "--dry-run")) == [
        *("config", "log", "status", "status"),
    ]
