"""A folder that becomes a repository, or a repository that gets its first commit."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from ctui.errors import CtuiError, ExternalFailure, Refused
from ctui.git.command import run_git
from ctui.text import one_line

_SECONDS = 120
_BRANCH = "main"
_MESSAGE = "Begin"


async def begin_repository(folder: Path) -> int:
    """Commit everything in a folder that `.gitignore` does not exclude, as the first commit.

    Where there is no repository yet, one is made, and taken away again if the commit fails.

    Returns:
        how many files are in the commit.

    Raises:
        Refused: it is a home folder or `/`, other repositories lie in it, or git does not know who
            commits.
        Unavailable, ExternalFailure: git failed.
    """
    if folder in {Path.home(), Path("/")}:
        raise Refused(f"{folder} is no folder for a repository", hint="go into a project's folder")
    git_dir = folder / ".git"
    is_new = not git_dir.exists()
    try:
        if is_new:
            await run_git(["init", "--quiet", f"--initial-branch={_BRANCH}"], git_dir=git_dir)
            await run_git(["config", "core.bare", "false"], git_dir=git_dir)
        return await _first_commit(folder, git_dir)
    except (CtuiError, asyncio.CancelledError):
        if is_new:
            await asyncio.to_thread(shutil.rmtree, git_dir, ignore_errors=True)
        raise


async def _first_commit(folder: Path, git_dir: Path) -> int:
    # The person's own files and filters; no task has been here.
    await run_git(
        ["add", "--all", "."], git_dir=git_dir, work_tree=folder, timeout=_SECONDS, filters=True
    )
    staged = (await run_git(["ls-files", "--stage", "-z"], git_dir=git_dir)).stdout.split(b"\0")
    nested = [entry for entry in staged if entry.startswith(b"160000 ")]
    if nested:
        name = one_line(nested[0].partition(b"\t")[2].decode("utf-8", "replace"), 80)
        await run_git(["read-tree", "--empty"], git_dir=git_dir)
        raise Refused(
            f"another repository lies in {folder}: {name}", hint="begin inside of it, or move it"
        )
    tree = (await run_git(["write-tree"], git_dir=git_dir)).stdout.decode().strip()
    try:
        made = await run_git(["commit-tree", tree, "-m", _MESSAGE], git_dir=git_dir)
    except ExternalFailure as error:
        if "user.email" not in error.stderr and "ident" not in error.stderr:
            raise
        raise Refused(
            "git does not know who commits",
            hint="git config --global user.name NAME, and the same for user.email",
        ) from error
    commit = made.stdout.decode().strip()
    await run_git(["update-ref", "HEAD", commit, ""], git_dir=git_dir)
    return len(staged) - 1
