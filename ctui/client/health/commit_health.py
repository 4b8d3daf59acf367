"""Check of the commits that ctui would make in a repository: by whom, and how they are signed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.client.health.health import Check
from ctui.errors import CtuiError
from ctui.git.commits.identity import Unknown, identity, name_and_address
from ctui.git.commits.signing import signer
from ctui.git.repository.repository import open_repository
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository

_WHO = "git config --global user.name NAME; git config --global user.email ADDRESS"


async def commit_check(folder: Path) -> Check | None:
    """Return the check, or None where no repository is that can be opened."""
    try:
        return await _commits(await asyncio.to_thread(open_repository, folder))
    except CtuiError:
        return None


async def _commits(repository: Repository) -> Check:
    git_dir, work_tree = repository.common_dir, repository.work_tree
    try:
        who = await identity(git_dir, work_tree)
    except Unknown as error:
        return Check("commits", True, error.message, f"`ctui worktree land` needs it: {_WHO}")
    name = one_line(" ".join(name_and_address(who.committer) or ("?",)), 80)
    if note := await _unsigned(git_dir, work_tree, who.committer):
        return Check("commits", True, f"by {name}", note)
    by = await signer(git_dir, work_tree, who.committer)
    return Check("commits", True, f"by {name}{f', signed by {by.program}' if by else ''}")


async def commit_notes(repository: Repository) -> list[str]:
    """Return what will keep ctui from signing its commits there, for where a task begins."""
    git_dir, work_tree = repository.common_dir, repository.work_tree
    try:
        who = await identity(git_dir, work_tree)
    except CtuiError:
        return []  # nobody is named: the task commits as Claude Code
    note = await _unsigned(git_dir, work_tree, who.committer)
    return [note] if note else []


async def _unsigned(git_dir: Path, work_tree: Path | None, committer: bytes) -> str:
    """Return why commits that are to be signed cannot be, or ""."""
    try:
        if (by := await signer(git_dir, work_tree, committer)) is not None:
            by.check()
    except CtuiError as error:
        return error.one_line()
    return ""
