"""What most commands begin with: the folders, the store, the repository, the login."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.errors import NotFound
from ctui.paths import Paths, private_folder

if TYPE_CHECKING:
    from ctui.git.repository import Repository
    from ctui.tasks.calls import Login
    from ctui.tasks.store import Store
    from ctui.worktrees.model import WorktreeRecord


def paths() -> Paths:
    return Paths.from_environment()


def store() -> Store:
    """The index of tasks, opened to read and to keep worktree records."""
    from ctui.tasks.store import Store

    found = paths()
    private_folder(found.state)
    return Store(found.database)


def repository(path: str) -> Repository:
    from ctui.git.repository import open_repository

    return open_repository(Path(path).absolute())


def records(of: Repository) -> dict[str, WorktreeRecord]:
    """Ctui's records of a repository's worktrees, by metadata folder."""
    import msgspec

    from ctui.worktrees.model import WorktreeRecord

    found = [
        msgspec.json.decode(data, type=WorktreeRecord)
        for data in store().worktrees(str(of.common_dir))
    ]
    return {record.metadata: record for record in found}


def record_named(of: Repository, name: str) -> WorktreeRecord:
    """The record of a worktree by its name, branch or path. Raises NotFound."""
    for record in records(of).values():
        if name in {record.name, record.branch, record.path}:
            return record
    raise NotFound(
        f"there is no worktree {name!r} in {of.name}", hint="`ctui worktree list` shows them"
    )


def login() -> Login:
    """The login that counts where this command was typed, for the driver.

    The driver may have been started from another shell, with another login.
    """
    from ctui.claude.credentials import Credential
    from ctui.config import load_config
    from ctui.tasks.calls import Login

    found = Credential.from_environment(os.environ)
    return Login(
        environment=found.environment() if found else {},
        stored=found is None,
        base_url=load_config(paths()).claude.base_url,
    )
