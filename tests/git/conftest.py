"""A repository, a worktree of it, and a task that works in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from ctui.git.exchange.imports import ImportResult, import_work
from ctui.git.private.private import PrivateRepository, create_private
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.model import WorktreeRecord
from tests.conftest import git

BRANCH = "ctui/work"
"""Of the worktree."""


class Place(NamedTuple):
    """A repository, a worktree of it, and the private directory of a task in it."""

    repository: Path
    record: WorktreeRecord
    private: PrivateRepository

    @property
    def git_dir(self) -> Path:
        return self.private.git_dir

    def in_task(self, *arguments: str) -> str:
        """Git as the task runs it: private directory, the worktree's files."""
        environ = {**os.environ, "GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": self.record.path}
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments],
            cwd=self.record.path,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, name: str) -> str:
        (Path(self.record.path) / name).write_text(name)
        self.in_task("add", name)
        self.in_task("commit", "-q", "-m", f"Add {name}")
        return self.in_task("rev-parse", "HEAD")

    async def bring(self) -> ImportResult:
        return await import_work(self.private, "t1", self.record.branch, self.record.base)

    def host(self, *arguments: str) -> str:
        return git(Path(self.record.path), *arguments)


async def place_in(repository: Path, tmp_path: Path, *, base: str = "HEAD") -> Place:
    """Make a worktree of a repository, and the private directory of a task in it."""
    found = open_repository(repository)
    record = await create_worktree(found, tmp_path / "worktrees", name="work", base=base)
    folder = tmp_path / "task"
    folder.mkdir()
    status = Path(record.path).stat()
    private = await create_private(
        found,
        Path(record.metadata),
        folder,
        record.branch,
        record.base,
        (status.st_uid, status.st_gid),
    )
    return Place(repository, record, private)


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    return await place_in(repository, tmp_path)
