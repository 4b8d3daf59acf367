"""Ignored folders that a set-up has filled: kept, and copied into each new worktree.

They are copied by reflink where the file system can, else in full; never as hard links, because a
task writes into them.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.definition.definition import Definition
from ctui.environments.definition.ecosystems import USUAL_CARRY
from ctui.errors import Unavailable
from ctui.git.repository.opening import open_trusted
from ctui.reaping import reap
from ctui.text import one_line

_SECONDS = 600


def keep_folders(
    workspace: Path, kept: Path, definition: Definition, files: CommitFiles
) -> tuple[str, ...]:
    """Move the folders that a definition carries out of a set-up's workspace; return their paths.

    What the commit has itself is not carried, nor what is reached by a link.
    """
    wanted = USUAL_CARRY if definition.carry is None else definition.carry
    found: list[str] = []
    for path in wanted:
        if files.entry_id(path) is not None or any(path.startswith(f"{one}/") for one in found):
            continue
        if is_real_folder(workspace, path):
            target = kept / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (workspace / path).rename(target)
            found.append(path)
    return tuple(found)


async def carry_into(
    kept: Path, folders: Iterable[str], worktree: Path, git_dir: Path
) -> list[str]:
    """Copy kept folders into a worktree that was just made, and return what was left out, and why.

    Args:
        kept: that has the folders.
        folders: their paths.
        worktree: nobody has worked in it yet.
        git_dir: of the worktree, whose ignore rules count.

    Raises:
        Unavailable: a copy failed.
    """
    ignored = await asyncio.to_thread(_ignored, git_dir, folders)
    notes = []
    for path in folders:
        place = PurePosixPath(path)
        if path not in ignored:
            notes.append(f"{one_line(path)} of the environment is not ignored by git: left out")
        elif not is_real_folder(kept, path) or not _is_free(worktree, place):
            notes.append(f"{one_line(path)} of the environment cannot be put there: left out")
        else:
            await _copy(kept / place, worktree / place)
    return notes


async def copy_kept(kept: Path, folders: Iterable[str], workspace: Path) -> None:
    """Copy kept folders into a workspace that only has a commit's files.

    Raises:
        Unavailable: a copy failed.
    """
    for path in folders:
        place = PurePosixPath(path)
        if is_real_folder(kept, path) and _is_free(workspace, place):
            await _copy(kept / place, workspace / place)


async def _copy(source: Path, target: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("cp", "-a", "--reflink=auto", "--", str(source), str(target)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            _, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await reap(process)
        raise
    if process.returncode:
        shutil.rmtree(target, ignore_errors=True)
        why = one_line(said.decode("utf-8", "replace"), 200)
        raise Unavailable(f"{target.name} cannot be copied into the worktree: {why}")


def _ignored(git_dir: Path, folders: Iterable[str]) -> set[str]:
    git = open_trusted(git_dir)
    return {path for path in folders if git.path_is_ignored(f"{path}/")}


def is_real_folder(root: Path, path: str) -> bool:
    """Return True for a folder that no link leads to."""
    here = root
    for part in PurePosixPath(path).parts:
        here /= part
        try:
            if not stat.S_ISDIR(here.lstat().st_mode):
                return False
        except OSError:
            return False
    return True


def _is_free(worktree: Path, place: PurePosixPath) -> bool:
    target = worktree / place
    return (
        not target.is_symlink()
        and not target.exists()
        and (place.parent == PurePosixPath() or is_real_folder(worktree, str(place.parent)))
    )
