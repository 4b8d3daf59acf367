"""Making a worktree, so that nothing is left behind when it fails."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from ctui.errors import Conflict, CtuiError, InvalidInput, Unavailable
from ctui.git.command import run_git
from ctui.git.names import branch_conflicts, worktree_name
from ctui.git.repository import Repository
from ctui.paths import private_folder
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.owner import give_to_tasks

_ADD_SECONDS = 600


def folder_of(worktrees: Path, repository: Repository) -> Path:
    """Where this repository's worktrees are, apart from those of another one of the same name."""
    digest = hashlib.sha256(os.fsencode(repository.common_dir)).hexdigest()[:8]
    return worktrees / f"{repository.name}-{digest}"


async def create_worktree(
    repository: Repository,
    worktrees: Path,
    *,
    prompt: str = "",
    name: str = "",
    base: str = "HEAD",
    prefix: str = "ctui/",
) -> WorktreeRecord:
    """Make a worktree with a branch of its own.

    Args:
        repository: whose worktree it is.
        worktrees: ctui's folder for all worktrees.
        prompt: names it after its first words.
        name: the wanted name; must be free.
        base: where it begins.
        prefix: of the branch, in front of the name.

    Raises:
        InvalidInput, Conflict: the name cannot be had.
        NotFound: there is no such base.
        Unavailable, ExternalFailure: git or the disk failed; nothing is left of the attempt.
    """
    commit = repository.resolve(base)
    folder = private_folder(folder_of(worktrees, repository))
    taken = _taken(repository, folder, prefix)
    if name:
        chosen = worktree_name(name)
        if not any(character.isalnum() for character in name):
            raise InvalidInput(f"{name[:40]!r} has no letter or digit in it")
        if chosen in taken:
            raise Conflict(f"a worktree or branch {chosen} exists", hint="choose another name")
    else:
        chosen = worktree_name(prompt or "task", taken)
    branch = f"{prefix}{chosen}"
    if branch_conflicts(branch, list(repository.git.branches.local)):
        raise Conflict(f"the branch {branch} cannot be made beside those that exist")
    path = folder / chosen
    try:
        # The person's own filters may run here: the files come from a commit that they chose.
        await run_git(
            ["worktree", "add", "--quiet", "--no-track", "-b", branch, str(path), commit],
            git_dir=repository.common_dir,
            timeout=_ADD_SECONDS,
            filters=True,
        )
        await asyncio.to_thread(give_to_tasks, path)
        return _record(repository, chosen, path, branch, commit)
    except (CtuiError, OSError, asyncio.CancelledError) as error:
        await asyncio.shield(_undo(repository, path, branch))
        if isinstance(error, OSError):
            raise Unavailable(f"{path} cannot be made: {error.strerror}") from error
        raise


def metadata_of(path: Path) -> Path:
    """The metadata folder that a worktree's `.git` file names."""
    text = (path / ".git").read_text(encoding="utf-8").strip()
    return Path(text.removeprefix("gitdir:").strip())


async def refresh_index(record: WorktreeRecord) -> None:
    """Let the index know its files, once, a second after they were written.

    Until then git cannot tell a file that changed in the second of the checkout from one that did
    not (racy-git(7)), and reads every file at every status.
    """
    with suppress(CtuiError):
        await run_git(
            ["update-index", "-q", "--refresh"],
            git_dir=Path(record.metadata),
            work_tree=Path(record.path),
            check=False,
            nice=True,
        )


def _taken(repository: Repository, folder: Path, prefix: str) -> set[str]:
    branches = repository.git.branches.local
    named = {
        name.removeprefix(prefix).split("/")[0] for name in branches if name.startswith(prefix)
    }
    metadata = repository.common_dir / "worktrees"
    known = {path.name for path in metadata.iterdir()} if metadata.is_dir() else set()
    return named | known | {path.name for path in folder.iterdir()}


def _record(
    repository: Repository, name: str, path: Path, branch: str, commit: str
) -> WorktreeRecord:
    status = path.lstat()
    return WorktreeRecord(
        name=name,
        path=str(path),
        repository=str(repository.common_dir),
        metadata=str(metadata_of(path)),
        device=status.st_dev,
        inode=status.st_ino,
        branch=branch,
        base=commit,
        created=time.time_ns(),
    )


async def _undo(repository: Repository, path: Path, branch: str) -> None:
    """Remove what a failed `git worktree add` left: it made all of it a moment ago."""
    await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
    for command in (["worktree", "prune"], ["branch", "-D", branch]):
        with suppress(CtuiError):
            await run_git(command, git_dir=repository.common_dir, check=False)
