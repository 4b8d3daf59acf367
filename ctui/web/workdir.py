"""Repository and folder that a request means, checked before tasks may work on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ctui.client.tasks.directory import directory_of
from ctui.errors import CtuiError, InvalidInput
from ctui.git.repository.repository import Repository, open_repository
from ctui.tasks.model import Task
from ctui.text import one_line

_HINT = "name a folder in a git repository of yours, or leave workdir out"


class Workdir(NamedTuple):
    """A folder that a request names."""

    repository: Repository
    directory: str
    """Its folder below the root of the checkout or worktree; "" is the root."""


def workdir_at(workdir: str, tasks: list[Task]) -> Workdir:
    """Return the repository that a folder lies in, and where.

    Args:
        workdir: an absolute path.
        tasks: all that there ever were. Inside their worktrees nothing on the disk is believed:
            a task can write any `.git` there.

    Raises:
        InvalidInput: it is none of this user's repositories.
    """
    shown = one_line(repr(workdir), 200)
    path = Path(workdir)
    if not path.is_absolute() or ".." in path.parts or "\0" in workdir:
        raise InvalidInput(f"workdir {shown} is no absolute path", hint=_HINT)
    try:
        found = path.resolve(strict=True)
        known = _repository_of_task(found, tasks)
        repository = open_repository(known or found)
        owner = repository.common_dir.stat().st_uid
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidInput(f"there is no folder {shown}", hint=_HINT) from error
    except CtuiError as error:
        raise InvalidInput(f"workdir: {error.message}", hint=error.hint or _HINT) from error
    if owner != os.geteuid():
        raise InvalidInput(f"the repository at {shown} is not yours", hint=_HINT)
    return Workdir(repository, directory_of(repository, found))


def _repository_of_task(path: Path, tasks: list[Task]) -> Path | None:
    for task in tasks:
        repository = Path(task.repository)
        worktree = Path(task.worktree).resolve()
        in_checkout = worktree == repository.parent
        if path.is_relative_to(worktree) and not in_checkout:
            return repository
    return None
