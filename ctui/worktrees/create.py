"""Creation of a worktree, which leaves nothing behind when it fails."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ctui.errors import Conflict, CtuiError, ExternalFailure, InvalidInput, Unavailable
from ctui.file_lock import FileLock
from ctui.git.names import branch_conflicts, nameable, worktree_name
from ctui.git.process.command import run_git
from ctui.git.repository.partial import fetch_for_checkout
from ctui.git.repository.repository import Repository
from ctui.git.repository.sparse import become_like
from ctui.git.submodules.submodule_checkout import fill_submodules
from ctui.paths import private_folder
from ctui.text import one_line
from ctui.worktrees.as_stored import Checkout, Say
from ctui.worktrees.existing_branch import ExistingBranch, follow, refuse_checked_out
from ctui.worktrees.fresh_index import settle
from ctui.worktrees.identity import metadata_of
from ctui.worktrees.layout import beside_others, origin_of
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.owner import TASK_UID, give_to_tasks

_ADD_ATTEMPTS = 5
_UPDATING = re.compile(r"Updating files: .{0,20}\((\d+)/(\d+)\)")

Progress = Callable[[int, int], None]
"""Callback with the number of files that are written, and of all files."""


def folder_of(worktrees: Path, repository: Repository) -> Path:
    """Return the folder of this repository's worktrees; one of the same name gets another."""
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
    progress: Progress | None = None,
    say: Say = lambda _: None,
    existing: ExistingBranch | None = None,
) -> WorktreeRecord:
    """Make a worktree with a branch of its own, or with one that is there.

    Its files are as the repository stores them.

    Args:
        repository: whose worktree it is.
        worktrees: ctui's folder for all worktrees; those of a bare repository come beside the
            others that it has.
        prompt: names it after its first words.
        name: the wanted name; must be free.
        base: where it begins.
        prefix: of the branch, in front of the name.
        progress: told how many of how many files are there, where that takes more than seconds.
        say: told what the person should know of its filters.
        existing: branch to check out; neither name nor base count then.

    Raises:
        InvalidInput, Conflict: the name cannot be had, or the branch is checked out.
        NotFound: there is no such base.
        Unavailable, ExternalFailure: git or the disk failed; nothing is left of the attempt.
    """
    commit = existing.commit if existing else repository.resolve(base)
    worktrees = worktrees.resolve()
    folder = beside_others(repository, worktrees)
    if folder is None:
        folder = private_folder(folder_of(worktrees, repository))
    if existing:
        branch, path = existing.name, _claim_for(repository, folder, existing.name, prefix)
    else:
        branch, path = await _claim(repository, folder, prompt=prompt, name=name, prefix=prefix)
    made_branch = False
    try:
        async with _turn(repository):
            if existing:
                refuse_checked_out(repository, existing)
            if existing is None or not existing.local:
                command = ["branch", "--no-track", "--", branch, commit]
                await run_git(command, git_dir=repository.common_dir)
                made_branch = True
            if existing:
                await follow(repository, existing)
            await _add(repository, path, branch)
        metadata = metadata_of(path)
        foreign = existing is not None and existing.foreign
        files = Checkout(repository, metadata, path, say, foreign=foreign)
        like = origin_of(repository)
        await become_like(metadata, like)
        await fetch_for_checkout(repository, metadata, commit)
        await files.write(files_updated(progress) if progress is not None else None)
        await asyncio.to_thread(_settle, metadata, path)
        for module, inside in await fill_submodules(repository, metadata, path, commit, like):
            await asyncio.to_thread(_settle, module, inside)
        # Of a branch that was there nobody knows where its work begins.
        return _record(repository, path.name, path, branch, None if existing else commit)
    except (CtuiError, OSError, asyncio.CancelledError) as error:
        await asyncio.shield(discard_worktree(repository, path, branch if made_branch else None))
        if isinstance(error, OSError):
            raise Unavailable(f"{path} cannot be made: {error.strerror}") from error
        raise


def _settle(git_dir: Path, path: Path) -> None:
    owner = (TASK_UID, TASK_UID) if os.geteuid() == 0 else None
    if not settle(git_dir / "index", path, owner):
        give_to_tasks(path)


def files_updated(progress: Progress) -> Callable[[str], None]:
    """Return a callback that turns git's progress on stderr into numbers."""

    def heard(line: str) -> None:
        if found := _UPDATING.search(line):
            progress(int(found[1]), int(found[2]))

    return heard


async def _claim(
    repository: Repository, folder: Path, *, prompt: str, name: str, prefix: str
) -> tuple[str, Path]:
    """Take a free name by making its folder: of two processes that want it, one gets it."""
    if name and not nameable(name):
        raise InvalidInput(
            f"{one_line(name, 40)!r} can be no worktree's name",
            hint="use letters and digits, and no word that git or a system keeps for itself",
        )
    while True:
        taken = _taken(repository, folder, prefix)
        chosen = worktree_name(name) if name else worktree_name(prompt or "task", taken)
        branch, path = f"{prefix}{chosen}", folder / chosen
        if chosen in taken:
            hint = "choose another name"
            if branch in repository.git.branches.local:
                hint += f", or use that branch: ctui worktree create {branch}"
            raise Conflict(f"a worktree or branch {chosen} exists", hint=hint)
        if branch_conflicts(branch, list(repository.git.branches.local)):
            raise Conflict(f"the branch {branch} cannot be made beside those that exist")
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise Unavailable(f"{path} cannot be made: {error.strerror}") from error
        return branch, path


def _claim_for(repository: Repository, folder: Path, branch: str, prefix: str) -> Path:
    """Take a free folder for a branch that is there, by making it."""
    while True:
        taken = {*_metadata_names(repository), *(path.name for path in folder.iterdir())}
        path = folder / worktree_name(branch.removeprefix(prefix), taken)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise Unavailable(f"{path} cannot be made: {error.strerror}") from error
        return path


@asynccontextmanager
async def _turn(repository: Repository) -> AsyncIterator[None]:
    """Let one process at a time register a worktree.

    Git reads the metadata of all worktrees to add one, and fails if one of them is incomplete.
    """
    lock = FileLock(repository.common_dir / "ctui-worktrees.lock")
    await lock.wait()
    with lock:
        yield


async def _add(repository: Repository, path: Path, branch: str) -> None:
    """Register a worktree without its files; try again if another git was in the way."""
    command = ["worktree", "add", "--quiet", "--no-checkout", str(path), branch]
    for attempt in range(_ADD_ATTEMPTS):
        try:
            # No filter needs to be switched off: no file is written.
            await run_git(command, git_dir=repository.common_dir, blanked=())
        except ExternalFailure as error:
            half_made = "commondir" in error.stderr or "gitdir" in error.stderr
            if not half_made or attempt == _ADD_ATTEMPTS - 1:
                raise
        else:
            return


def _taken(repository: Repository, folder: Path, prefix: str) -> set[str]:
    branches = repository.git.branches.local
    named = {
        name.removeprefix(prefix).split("/")[0] for name in branches if name.startswith(prefix)
    }
    return named | _metadata_names(repository) | {path.name for path in folder.iterdir()}


def _metadata_names(repository: Repository) -> set[str]:
    metadata = repository.common_dir / "worktrees"
    return {path.name for path in metadata.iterdir()} if metadata.is_dir() else set()


def _record(
    repository: Repository, name: str, path: Path, branch: str, commit: str | None
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


async def discard_worktree(repository: Repository, path: Path, branch: str | None) -> None:
    """Remove a worktree that was just made, its metadata and branch, and nothing that resembles it.

    The caller must be sure that nobody has worked in it: all of its files are deleted.
    """
    metadata = repository.common_dir / "worktrees"
    for folder in metadata.iterdir() if metadata.is_dir() else ():
        with suppress(OSError):
            if (folder / "gitdir").read_text(encoding="utf-8").strip() == str(path / ".git"):
                await asyncio.to_thread(shutil.rmtree, folder)
    with suppress(OSError):
        metadata.rmdir()
    await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
    if branch is not None:
        with suppress(CtuiError):
            await run_git(["branch", "-D", branch], git_dir=repository.common_dir, check=False)
