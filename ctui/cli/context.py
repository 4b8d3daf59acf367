"""Beginning of most commands: the folders, the store, the repository."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ctui.paths import Paths, private_folder

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository
    from ctui.tasks.store import Store

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run what a command does asynchronously; those that do nothing so never load asyncio."""
    import asyncio

    return asyncio.run(work)


def paths() -> Paths:
    return Paths.from_environment()


def store() -> Store:
    """Open the index of tasks, to read and to keep worktree records."""
    from ctui.tasks.store import Store

    found = paths()
    private_folder(found.state)
    return Store(found.database)


def repository(path: str) -> Repository:
    from ctui.git.repository.repository import open_repository

    return open_repository(Path(path).absolute())


def judged_repository(path: str, target: str) -> Repository:
    """Open a repository whose worktrees are judged against a branch.

    Args:
        path: in the repository.
        target: a branch; "" for that of the settings, else the default one.

    Raises:
        NotFound: there is no such repository or branch.
    """
    from ctui.config import load_config

    found = repository(path)
    wanted = target or load_config(paths()).worktrees.target
    found.judge_against(wanted, must_exist=bool(target))
    return found
