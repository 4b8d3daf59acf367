"""Filters in the git directory of a task: Git LFS and those that the person names, and no other."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ctui.git import hostile
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.git.stored import lfs_objects
from ctui.git.stored.attributes import LFS, filter_setting, transformed_files


class FilterNotes(NamedTuple):
    """Notes beside a task's git directory, which the task cannot write."""

    folder: Path

    def names(self) -> frozenset[str]:
        """Return the named filters that run on what the task commits."""
        note = self.folder / "run-filters"
        return frozenset(note.read_text().split("\0")) if note.is_file() else frozenset()

    def keep_names(self, names: Iterable[str]) -> None:
        (self.folder / "run-filters").write_text("\0".join(names))

    def uses_lfs(self) -> bool:
        """Return True if there may be files of Git LFS among the task's."""
        if (self.folder / "lfs-store").is_file():
            return True
        with hostile.folder(self.folder / "git", "lfs", "objects") as made:
            return made is not None

    def lfs_store(self) -> Path | None:
        """Return the repository's store of Git LFS, if the task uses it and it is there."""
        note = self.folder / "lfs-store"
        store = Path(os.fsdecode(note.read_bytes())) if note.is_file() else None
        return store if store is not None and store.is_dir() else None

    def keep_lfs_store(self, store: Path) -> None:
        (self.folder / "lfs-store").write_bytes(os.fsencode(store))


async def set_up_filters(
    notes: FilterNotes,
    git_dir: Path,
    repository: Repository,
    metadata: Path | None,
    names: Iterable[str],
) -> None:
    """Configure the filters of a task's new git directory.

    Args:
        notes: where it is noted.
        git_dir: the new git directory, with its index.
        repository: whose configuration has the filters' programs.
        metadata: of the linked worktree; None for the person's own checkout.
        names: filters that the person lets run.
    """
    named = sorted(names)
    for name in named:
        await _let_run(git_dir / "config", repository.common_dir, name)
    if named:
        notes.keep_names(named)
    found = await transformed_files(metadata or repository.common_dir)
    if any(rule.filter == LFS for rule in found.values()):
        await lfs_objects.set_up(git_dir / "config", repository.common_dir)
        notes.keep_lfs_store(await lfs_objects.store_of(repository.common_dir))
    others = [path for path, rule in found.items() if rule.filter not in {"", LFS, *named}]
    if metadata is None and others:
        # In the person's checkout they lie in plain text, and what a task commits of them is held
        # back: `git add --all` leaves them alone.
        await run_git(
            ["update-index", "--skip-worktree", "-z", "--stdin"],
            git_dir=git_dir,
            work_tree=repository.work_tree,
            input=b"".join(path + b"\0" for path in others),
            blanked=(),
        )


async def _let_run(config: Path, common_dir: Path, name: str) -> None:
    """Let a clean filter of the person run on what the task adds; it writes no files.

    One whose program is not in the image fails, so that nothing is added without it.
    """
    if clean := await filter_setting(common_dir, name, "clean"):
        for setting, value in (("clean", clean), ("required", "true")):
            await run_git(
                ["config", "--file", config, f"filter.{name}.{setting}", value],
                git_dir=common_dir,
            )
