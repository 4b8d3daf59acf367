"""Worktrees that are removed and restored, as a front end does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.model import WorktreeRecord, WorktreeStatus
from ctui.worktrees.trash.entries import TrashEntry
from tests.conftest import git
from tests.worktrees.killer import Killer
from tests.worktrees.looking import remove_worktree, worktree_status


class Place(NamedTuple):
    """A repository, and a worktree that ctui made of it."""

    repository: Repository
    record: WorktreeRecord

    @property
    def folder(self) -> Path:
        """The main checkout."""
        return self.repository.common_dir.parent

    @property
    def path(self) -> Path:
        return Path(self.record.path)

    @property
    def metadata(self) -> Path:
        return Path(self.record.metadata)

    def git(self, *arguments: str) -> str:
        """Git as a person in the worktree runs it."""
        return git(self.path, *arguments)

    async def look(self) -> WorktreeStatus:
        return await worktree_status(self.repository, self.record)

    async def remove(self, **options: Any) -> TrashEntry:
        """Look, then remove with force."""
        return await remove_worktree(
            self.repository, await self.look(), self.record, **{"force": True, **options}
        )


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    found = open_repository(repository)
    return Place(found, await create_worktree(found, tmp_path / "worktrees", name="work"))


@pytest.fixture
def killer() -> Iterator[Killer]:
    with Killer() as started:
        yield started
