"""The folder that a task starts in: the one of its worktree that a person stands in or names."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ctui.errors import InvalidInput
from ctui.text import one_line
from ctui.worktrees.known import known_worktrees

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def directory_of(repository: Repository, folder: Path) -> str:
    """Return where a folder lies in the checkout or worktree around it; "" is its root.

    What roots there are is read from the repository itself: a task can write any `.git` into its
    worktree.
    """
    found = folder.resolve()
    roots = [worktree.path.resolve() for worktree in known_worktrees(repository, {})]
    if repository.work_tree is not None:
        roots.append(repository.work_tree)
    around = [root for root in roots if found.is_relative_to(root)]
    if not around:
        return ""
    inner = found.relative_to(max(around, key=lambda root: len(root.parts)))
    return "" if inner == Path() else inner.as_posix()


def make_directory(worktree: Path, directory: str) -> None:
    """Make sure that a task can start in a folder of its worktree.

    A folder that the commit has not is made, empty: the person stands in it, or named it. No link
    is followed: what is in a worktree, a task can have written.

    Raises:
        InvalidInput: it leads out of the worktree, or something else is there.
    """
    try:
        here = os.open(worktree, _FOLDER)
        try:
            for part in PurePosixPath(directory).parts:
                _step(here, part)
        finally:
            os.close(here)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"a task cannot start in {one_line(directory, 200)}: it is no folder of the worktree",
            hint="name a folder of the repository",
        ) from error


def _step(here: int, part: str) -> None:
    """Let a descriptor mean a folder in the one that it means."""
    if part.lower() in {"/", "..", ".git"}:
        raise ValueError(part)
    with suppress(FileExistsError):
        os.mkdir(part, dir_fd=here)
        owner = os.fstat(here)
        os.chown(part, owner.st_uid, owner.st_gid, dir_fd=here, follow_symlinks=False)
    inner = os.open(part, _FOLDER, dir_fd=here)
    os.dup2(inner, here)
    os.close(inner)
