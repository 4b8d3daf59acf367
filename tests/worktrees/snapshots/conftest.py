"""Snapshots of a worktree, and what must be in them."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from ctui.worktrees.snapshots.model import Snapshot
from ctui.worktrees.snapshots.repository import SnapshotRepository
from ctui.worktrees.snapshots.take import take
from tests.worktrees.conftest import Place

Files = dict[bytes, tuple[bytes, bytes]]
"""Path -> mode as git writes it, and content."""


class Shots(NamedTuple):
    """A worktree and its snapshots."""

    place: Place
    snapshots: SnapshotRepository

    @property
    def path(self) -> Path:
        return self.place.path

    async def take(self, ref: str = "refs/test/one") -> Snapshot:
        return await take(self.snapshots, ref)

    def again(self) -> Shots:
        """Return the same, as another process has it."""
        return Shots(self.place, repository_of(self.place, self.snapshots.folder))

    def kept(self, snapshot: Snapshot) -> Files:
        """Return what a snapshot has, read by plain git."""

        def git(*arguments: str) -> bytes:
            command = ["git", f"--git-dir={self.snapshots.folder}", *arguments]
            return subprocess.run(command, check=True, capture_output=True).stdout

        found: Files = {}
        for line in git("ls-tree", "-r", "-z", snapshot.tree).split(b"\0"):
            if line:
                facts, _, path = line.partition(b"\t")
                mode, _, oid = facts.split(b" ")
                found[path] = (mode, git("cat-file", "blob", oid.decode()))
        return found

    def there(self) -> Files:
        """Return what is in the worktree and neither ignored nor git's, read file by file."""
        listed = self.place.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        found: Files = {}
        for name in listed.split("\0"):
            path = self.path / name
            if not name or path.parent.resolve() != path.parent:
                continue
            try:
                mode = path.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                continue
            if stat.S_ISLNK(mode):
                found[os.fsencode(name)] = (b"120000", os.fsencode(path.readlink()))
            elif stat.S_ISREG(mode):
                kind = b"100755" if mode & 0o100 else b"100644"
                found[os.fsencode(name)] = (kind, path.read_bytes())
        return found


def repository_of(place: Place, folder: Path) -> SnapshotRepository:
    return SnapshotRepository(folder, place.repository, place.metadata, place.path)


@pytest.fixture
def shots(place: Place, tmp_path: Path) -> Shots:
    return Shots(place, repository_of(place, tmp_path / "snapshots"))
