"""Place of new worktrees: ctui's folder, or beside those of a bare repository.

A bare repository has no checkout; people who use one keep its worktrees side by side:

    project/.bare            project.git          project/.git  (bare too)
    project/.git (a file)    project-main/        project/main/
    project/main/            project-fix/         project/fix/
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ctui.git.repository.repository import Repository
from ctui.worktrees.identity import checked_path, metadata_of, text_of


def beside_others(repository: Repository, own: Path) -> Path | None:
    """Return the folder that holds the worktrees of a bare repository, or None.

    Args:
        repository: one with a checkout has its new worktrees in ctui's own folder.
        own: ctui's folder for all worktrees; what lies in it does not count.
    """
    if not repository.bare:
        return None
    around = repository.common_dir.parent
    if repository.common_dir.name.startswith(".") and _is_for(repository, around):
        return around if _usable(around) else None
    parents = {path.parent for path in _linked(repository) if not path.is_relative_to(own)}
    if len(parents) != 1:
        return None
    [folder] = parents
    return folder if _usable(folder) else None


def origin_of(repository: Repository) -> Path:
    """Return the git directory of the checkout that new worktrees are to be like.

    That is the one that the person stands in; beside a bare repository, the one of its default
    branch.
    """
    if repository.bare and repository.here == repository.common_dir:
        return _of_default_branch(repository) or repository.here
    return repository.here


def settings_folder(repository: Repository) -> Path | None:
    """Return the checkout whose `.ctui.toml` counts, or None if there is none.

    Beside a bare repository that is the worktree of its default branch, whichever the person stands
    in: any other one is a task's to write.
    """
    if not repository.bare:
        return repository.work_tree
    metadata = _of_default_branch(repository)
    if metadata is None:
        return None
    path, problem = checked_path(repository, metadata, None)
    return path if problem is None else None


def _of_default_branch(repository: Repository) -> Path | None:
    """Return the metadata of the worktree that has the default branch, or None."""
    head = f"ref: refs/heads/{repository.default_branch()}"
    linked = sorted(repository.common_dir.glob("worktrees/*"))
    return next((metadata for metadata in linked if text_of(metadata / "HEAD") == head), None)


def _is_for(repository: Repository, folder: Path) -> bool:
    """Return True if git in this folder would use the repository."""
    link = folder / ".git"
    with suppress(OSError):
        return (link if link.is_dir() else metadata_of(folder)).resolve() == repository.common_dir
    return False


def _linked(repository: Repository) -> Iterator[Path]:
    folder = repository.common_dir / "worktrees"
    for metadata in sorted(folder.iterdir()) if folder.is_dir() else ():
        path = Path(os.path.normpath(metadata / text_of(metadata / "gitdir"))).parent
        if path.is_dir() and metadata_of(path).resolve() == metadata:
            yield path.resolve()


def _usable(folder: Path) -> bool:
    """Return True if only this person puts folders there, and it is made for projects."""
    try:
        status = folder.stat()
    except OSError:
        return False
    personal = {Path.home().resolve(), Path("/")}
    shared = status.st_mode & (stat.S_IWOTH | stat.S_IWGRP)
    return status.st_uid == os.geteuid() and not shared and folder not in personal
