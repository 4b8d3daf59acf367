"""Contents of the private git directory of an isolated task: what its first commit reaches.

A borrowing task can read every object of the repository. An isolated one has packs of its own
instead, made by a git whose repository is the new directory itself: it finds the objects through
its environment, and sees neither configuration nor refs, grafts or shallow commits of the
repository. So what is not there ends the making, and is never left out or fetched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ctui.errors import ExternalFailure, Refused
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository

_SECONDS = 1800
_NONE = "0" * 40
REFS_HEADER = b"# pack-refs with: sorted \n"
"""First line of a packed-refs file."""


async def refuse_incomplete(repository: Repository, commit: str) -> None:
    """Refuse a shallow or partial clone that lacks something that a commit reaches.

    Only a clone of these kinds is walked through; a damaged one is found when the task is made.

    Raises:
        Refused: something is not there.
    """
    if not _shallow(repository) and not _partial(repository):
        return
    output = await run_git(
        ["rev-list", "--objects", "--quiet", "--missing=print", commit],
        git_dir=repository.common_dir,
        timeout=_SECONDS,
        env={"GIT_SHALLOW_FILE": os.devnull, "GIT_NO_REPLACE_OBJECTS": "1"},
        check=False,
    )
    if output.exit_code or output.stdout:
        raise _refusal(repository, commit, "git rev-list found that objects are missing")


async def isolate(git_dir: Path, repository: Repository, commit: str) -> list[str]:
    """Give a new git directory, which borrows nothing, the history of a commit.

    Of the refs in its `packed-refs` those stay whose commits lie in that history. What its index
    names beyond the history, such as what the person staged, gets a pack of its own.

    Returns:
        the names of the packs of the history, such as `pack-1234…`. An import need not look into
        them: all of it is in the repository.

    Raises:
        Refused: something that the commit reaches, or the index names, is not there.
    """
    borrow = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": _listed(repository.object_directories())}
    try:
        packs = await _pack(git_dir, [commit], borrow, "--revs")
        tags = await _keep_reached_refs(git_dir, borrow)
        if tags:
            packs += await _pack(git_dir, [*tags, f"^{commit}"], borrow, "--revs")
        for name in packs:
            # A `git gc` of the task leaves it as it is, so that imports still know it.
            (git_dir / "objects" / "pack" / f"{name}.keep").touch()
        if (git_dir / "index").is_file():
            await _complete_index(git_dir, commit, borrow)
    except ExternalFailure as error:
        raise _refusal(repository, commit, error.message) from error
    return packs


async def _keep_reached_refs(git_dir: Path, borrow: dict[str, str]) -> list[str]:
    """Drop refs that do not lie in the history, which alone is there.

    Returns:
        the tags with an object of their own that stay: `git describe` reads those objects.
    """
    path = git_dir / "packed-refs"
    refs = path.read_bytes().removeprefix(REFS_HEADER).splitlines(keepends=True)
    named = [line.split()[0].decode() for line in refs]
    commits = await _present(git_dir, [f"{name}^{{commit}}" for name in named], borrow)
    reached = await _present(git_dir, [commit or _NONE for commit in commits], {})
    path.write_bytes(
        REFS_HEADER + b"".join(line for line, there in zip(refs, reached, strict=True) if there)
    )
    pairs = zip(named, reached, strict=True)
    return [name for name, commit in pairs if commit not in {"", name}]


async def _present(git_dir: Path, names: list[str], borrow: dict[str, str]) -> list[str]:
    """Return for each name the object that it stands for, or "" where that is not there."""
    if not names:
        return []
    looked = await run_git(
        ["cat-file", "--batch-check=%(objectname)"],
        git_dir=git_dir,
        timeout=_SECONDS,
        input="".join(f"{name}\n" for name in names).encode(),
        env=borrow,
    )
    lines = looked.stdout.decode().splitlines()
    return ["" if " " in line else line for line in lines]


async def _pack(
    git_dir: Path, objects: Iterable[str], borrow: dict[str, str], *options: str
) -> list[str]:
    output = await run_git(
        [
            "pack-objects",
            "--quiet",
            "--delta-base-offset",
            "--threads=2",
            *options,
            git_dir / "objects" / "pack" / "pack",
        ],
        git_dir=git_dir,
        timeout=_SECONDS,
        input="".join(f"{name}\n" for name in objects).encode(),
        env=borrow,
        config={"pack.packSizeLimit": "0"},
    )
    return [f"pack-{name}" for name in output.stdout.decode().split()]


async def _complete_index(git_dir: Path, commit: str, borrow: dict[str, str]) -> None:
    """Pack what the index names and the history lacks; its trees are those of its own files."""
    # An index in one file, without the sides of conflicts that the person has resolved.
    await run_git(
        ["update-index", "--clear-resolve-undo"],
        git_dir=git_dir,
        config={"core.splitIndex": "false"},
    )
    for shared in git_dir.glob("sharedindex.*"):
        shared.unlink()
    looked = await run_git(
        [
            "rev-list",
            "--objects",
            "--quiet",
            "--missing=print",
            "--no-walk",
            "--single-worktree",
            "--indexed-objects",
            commit,
        ],
        git_dir=git_dir,
        timeout=_SECONDS,
    )
    missing = [line.removeprefix("?") for line in looked.stdout.decode().splitlines()]
    if missing:
        # Imports take this pack along: once the person's index has moved on, git may delete the
        # repository's own copies.
        await _pack(git_dir, missing, borrow)


def _listed(directories: Iterable[Path]) -> str:
    """Return folders as git takes them in a variable: between colons, in quotes as in C."""
    escaped = (str(path).replace("\\", "\\\\").replace('"', '\\"') for path in directories)
    return ":".join(f'"{path}"' for path in escaped)


def _refusal(repository: Repository, commit: str, reason: str) -> Refused:
    what = f"the task cannot be isolated: {repository.name}"
    full = "or use a task that is not isolated"
    if _shallow(repository):
        return Refused(
            f"{what} is a shallow clone, without all that {commit[:9]} reaches",
            hint=f"git fetch --unshallow, {full}",
        )
    if _partial(repository):
        return Refused(
            f"{what} is a partial clone, without all that {commit[:9]} reaches",
            hint=f"make a clone without --filter, {full}",
        )
    return Refused(f"{what} does not give {commit[:9]}: {reason}", hint=f"git fsck, {full}")


def _shallow(repository: Repository) -> bool:
    path = repository.common_dir / "shallow"
    return path.is_file() and path.stat().st_size > 0


def _partial(repository: Repository) -> bool:
    """Return True where git marked a pack as one of a remote that promises what is missing."""
    folders = repository.object_directories()
    return any(True for folder in folders for _ in folder.glob("pack/*.promisor"))
