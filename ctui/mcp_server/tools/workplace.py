"""Workplace of `execute_claude`: a linked worktree, or a repository's own checkout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ctui.client.tasks.directory import directory_of
from ctui.client.worktrees.worktrees import records
from ctui.errors import CtuiError, NotFound
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.known import known_worktrees

if TYPE_CHECKING:
    from ctui.mcp_server.protocol.call import Call


class Workplace(NamedTuple):
    """A folder that a task can work in."""

    repository: Repository
    worktree: str
    """The worktree's path; empty for the checkout itself."""
    directory: str
    """Folder in it; "" is its root."""


def workplace_of(call: Call, path: str) -> Workplace:
    """Return the place of a folder in a worktree or checkout.

    The server's own repository is asked first what worktrees it has: a worktree's own `.git` was
    written by a task, perhaps.

    Raises:
        InvalidInput, NotFound, Refused: nothing can work there.
    """
    folder = call.folder(path).resolve() if path else call.state.repo
    try:
        own = call.repository()
    except CtuiError:
        own = None
    if own is not None and (worktree := _worktree_at(call, own, folder)):
        return Workplace(own, str(worktree), directory_of(own, folder))
    repository = call.repository(str(folder)) if path or own is None else own
    if worktree := _worktree_at(call, repository, folder):
        return Workplace(repository, str(worktree), directory_of(repository, folder))
    checkout = repository.work_tree
    if checkout is None or not folder.is_relative_to(checkout):
        raise NotFound(
            f"{one_line(str(folder), 200)} is in no worktree or checkout of {repository.name}",
            hint="name one that `list_worktree` shows",
        )
    return Workplace(repository, "", directory_of(repository, folder))


def _worktree_at(call: Call, repository: Repository, folder: Path) -> Path | None:
    for known in known_worktrees(repository, records(call.paths, repository)):
        if folder.is_relative_to(known.path.resolve()):
            return known.path
    return None
