"""Check of the repository that a person stands in: its kind, and what tasks miss there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ctui.client.health.health import Check
from ctui.errors import CtuiError, NotFound
from ctui.git.repository.partial import completing_command
from ctui.git.repository.repository import Repository, open_repository
from ctui.git.repository.shallow import shallow_commits
from ctui.git.repository.sparse import sparse_of
from ctui.git.submodules.submodules import module_sources, submodules_of
from ctui.text import one_line

_SHOWN = 3


async def repository_check(folder: Path) -> Check | None:
    """Return the check, or None where no repository is."""
    try:
        repository = await asyncio.to_thread(open_repository, folder)
        kinds = await _kinds(repository)
        empty = await _empty_submodules(repository)
    except NotFound:
        return None
    except CtuiError as error:
        return Check("repo", False, error.message, error.hint)
    found = ", ".join([one_line(str(repository.work_tree or repository.common_dir), 200), *kinds])
    if empty:
        some = ", ".join(one_line(path, 60) for path in empty[:_SHOWN])
        command = "git submodule update --init --recursive"
        return Check("repo", True, found, f"{command} (tasks find nothing in {some})")
    return Check("repo", True, found, _unfollowed(repository))


def _unfollowed(repository: Repository) -> str:
    """Return what lets a bare clone know where its remote's branches are, if it does not.

    `git clone --bare` sets nothing of the kind, so that what was pushed never counts as pushed.
    """
    remote = repository.remote()
    if not repository.bare or remote is None or f"remote.{remote}.fetch" in repository.git.config:
        return ""
    name = one_line(remote, 60)
    return (
        f"git -C {repository.common_dir} config remote.{name}.fetch "
        f"'+refs/heads/*:refs/remotes/{name}/*' (else nothing counts as pushed)"
    )


async def _kinds(repository: Repository) -> list[str]:
    """Return what is not usual with a repository, in words."""
    kinds = ["bare"] if repository.bare else []
    kinds += ["shallow"] if shallow_commits(repository.common_dir) else []
    if command := completing_command(repository):
        kinds.append(f"partial ({command} completes it)")
    kinds += ["sparse"] if await sparse_of(repository.here) is not None else []
    return kinds


async def _empty_submodules(repository: Repository) -> list[str]:
    sources = module_sources(repository.common_dir, repository.here)
    found = await submodules_of(repository.common_dir, repository.resolve("HEAD"), sources)
    return [module.path for module in found if module.source is None]
