"""The first commit of a repository, or of a folder that becomes one."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Conflict, ExternalFailure, Refused, Unavailable
from ctui.git.commits.signing import signer, with_signature
from ctui.git.process.caller import environ
from ctui.git.process.command import run_git
from ctui.git.process.environment import passed
from ctui.text import one_line

_SECONDS = 120
_BRANCH = "main"
_MESSAGE = "Begin"
_YOURSELF = "make the first commit yourself: git add, git commit"


class Beginning(NamedTuple):
    """Place of a first commit."""

    folder: Path
    """The work tree that git itself would use, without links. Its files are committed."""
    is_new: bool
    """True if there is no repository yet."""


async def find_beginning(folder: Path) -> Beginning:
    """Return what a first commit made in `folder` would hold, for a question to the person.

    Raises:
        Refused: it would take in a home folder, or the repository there is not a plain one: its
            files or its git directory lie elsewhere, it is bare, or somebody else's.
        Unavailable, ExternalFailure: git failed.
    """
    try:
        folder = folder.resolve()
        for root in (folder, *folder.parents):
            git_dir = root / ".git"
            if git_dir.is_symlink() or git_dir.exists():
                await _refuse_unless_plain(git_dir)
                return _suitable(Beginning(root, is_new=False))
            if _is_git_dir(root):
                raise Refused(f"{root} is a bare repository", hint="use a clone with a checkout")
        return _suitable(Beginning(folder, is_new=True))
    except OSError as error:
        raise Unavailable(f"{folder} cannot be looked at: {error.strerror}") from error


async def begin_repository(beginning: Beginning) -> int:
    """Commit everything in a folder that `.gitignore` does not exclude, as the first commit.

    If there is no repository yet, one is made, and removed again if the commit fails. If there
    is one, its index changes only together with its branch.

    Returns:
        how many files are in the commit.

    Raises:
        Refused: as `find_beginning`; or something is staged, other repositories lie in the
            folder, or git does not know who commits.
        Conflict: it is not what `find_beginning` found any more, or another git is at work there.
        Unavailable, ExternalFailure: git failed.
    """
    folder = beginning.folder
    git_dir = folder / ".git"
    if await find_beginning(folder) != beginning:
        raise Conflict(f"a repository came or went in {folder}", hint="look again")
    try:
        if not beginning.is_new:
            return await _first_commit(folder, git_dir)
        git_dir.mkdir()
        try:
            await run_git(["init", "--quiet", f"--initial-branch={_BRANCH}"], git_dir=git_dir)
            await run_git(["config", "core.bare", "false"], git_dir=git_dir)
            return await _first_commit(folder, git_dir)
        except BaseException:  # cancelled or not: no half of a repository stays
            await asyncio.to_thread(shutil.rmtree, git_dir, ignore_errors=True)
            raise
    except OSError as error:
        raise Unavailable(f"{git_dir} cannot be written: {error.strerror}") from error


async def _refuse_unless_plain(git_dir: Path) -> None:
    """Refuse a `.git` that makes git use another folder than the one around it, or run filters."""
    if git_dir.is_symlink() or not git_dir.is_dir():
        raise Refused(f"{git_dir} is not a folder, but leads elsewhere", hint=_YOURSELF)
    if not _is_git_dir(git_dir):
        raise Refused(f"{git_dir} is no git directory", hint="mend it, or move it away")
    if git_dir.lstat().st_uid != os.geteuid():
        raise Refused(f"{git_dir} belongs to somebody else", hint="work as its owner")
    if await _setting(git_dir, "core.worktree"):
        raise Refused(f"the files of {git_dir} lie elsewhere (core.worktree)", hint=_YOURSELF)
    if await _setting(git_dir, "--bool", "core.bare") == "true":
        raise Refused(f"{git_dir} is bare (core.bare)", hint="use a clone with a checkout")


def _suitable(beginning: Beginning) -> Beginning:
    home = Path.home().resolve()
    if beginning.folder in {home, *home.parents}:
        raise Refused(
            f"{beginning.folder} is no folder for a repository", hint="go into a project's folder"
        )
    return beginning


def _is_git_dir(folder: Path) -> bool:
    """Return True if git itself would take the folder for a git directory."""
    head, objects, refs = (folder / name for name in ("HEAD", "objects", "refs"))
    return (head.is_symlink() or head.is_file()) and objects.is_dir() and refs.is_dir()


async def _setting(git_dir: Path, *wanted: str) -> str:
    output = await run_git(["config", "--get", *wanted], git_dir=git_dir, check=False)
    if output.exit_code not in {0, 1}:  # 1 is "there is none"
        why = one_line(output.stderr, 200)
        raise Refused(f"{git_dir}/config cannot be used: {why}", hint="mend it, then try again")
    return output.stdout.decode("utf-8", "replace").strip()


async def _first_commit(folder: Path, git_dir: Path) -> int:
    await _refuse_staged(folder, git_dir)
    with tempfile.TemporaryDirectory(prefix="ctui-begin-", dir=git_dir) as scratch:
        index = Path(scratch) / "index"
        files = await _stage(folder, git_dir, index)
        commit = await _commit(git_dir, index)
        await _install(folder, git_dir, index, commit)
    return files


async def _refuse_staged(folder: Path, git_dir: Path) -> None:
    if (await run_git(["ls-files", "--cached", "-z"], git_dir=git_dir)).stdout:
        raise Refused(f"something is staged in {folder} already", hint="commit it yourself")


async def _stage(folder: Path, git_dir: Path, index: Path) -> int:
    """Add all files of the folder to an index of their own, and return their number."""
    env = {"GIT_INDEX_FILE": str(index)}
    # The person's own files and filters; no task has been here.
    await run_git(
        ["add", "--all", "."],
        git_dir=git_dir,
        work_tree=folder,
        timeout=_SECONDS,
        filters=True,
        env=env,
    )
    output = await run_git(["ls-files", "--stage", "-z"], git_dir=git_dir, env=env)
    staged = output.stdout.split(b"\0")
    nested = [entry for entry in staged if entry.startswith(b"160000 ")]
    if nested:
        name = one_line(nested[0].partition(b"\t")[2].decode("utf-8", "replace"), 80)
        raise Refused(
            f"another repository lies in {folder}: {name}", hint="begin inside of it, or move it"
        )
    return len(staged) - 1


async def _commit(git_dir: Path, index: Path) -> str:
    written = await run_git(["write-tree"], git_dir=git_dir, env={"GIT_INDEX_FILE": str(index)})
    tree = written.stdout.decode().strip()
    try:
        made = await run_git(
            ["commit-tree", tree, "-m", _MESSAGE],
            git_dir=git_dir,
            env=passed(environ(), "commit"),
        )
    except ExternalFailure as error:
        if "user.email" not in error.stderr and "ident" not in error.stderr:
            raise
        raise Refused(
            "git does not know who commits",
            hint="git config --global user.name NAME, and the same for user.email",
        ) from error
    return await _signed(git_dir, made.stdout.decode().strip())


async def _signed(git_dir: Path, commit: str) -> str:
    """Return the commit, signed where the person's are."""
    data = (await run_git(["cat-file", "commit", commit], git_dir=git_dir)).stdout
    found = re.search(rb"^committer (.*)$", data, re.MULTILINE)
    by = await signer(git_dir, None, found[1] if found else b"")
    if by is None:
        return commit
    signed = with_signature(data, await by.sign(data))
    written = await run_git(
        ["hash-object", "-t", "commit", "-w", "--stdin"], git_dir=git_dir, input=signed
    )
    return written.stdout.decode().strip()


async def _install(folder: Path, git_dir: Path, index: Path, commit: str) -> None:
    """Give the repository its branch and its index, under git's own lock of the index."""
    lock = git_dir / "index.lock"
    try:
        lock.touch(exist_ok=False)
    except FileExistsError as error:
        raise Conflict(f"another git is at work in {folder}", hint="try again later") from error
    try:
        await _refuse_staged(folder, git_dir)
        # Only if the branch still has no commit.
        await run_git(["update-ref", "HEAD", commit, ""], git_dir=git_dir)
        index.rename(git_dir / "index")
    finally:
        lock.unlink()
