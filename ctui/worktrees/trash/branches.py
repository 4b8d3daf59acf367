"""The branch of a removed worktree: recorded, deleted with it if wanted, and made again."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import suppress
from pathlib import Path

from ctui.errors import CtuiError
from ctui.files import replace_file
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.worktrees.trash.entries import BranchRecord

_HEADS = "refs/heads/"
_REFLOG_LIMIT = 1 << 24


async def heads(repository: Repository) -> dict[str, str]:
    """Return all local branches with their commits."""
    said = await run_git(
        ["for-each-ref", "--format=%(objectname) %(refname)", _HEADS],
        git_dir=repository.common_dir,
    )
    lines = [os.fsdecode(line).split(" ", 1) for line in said.stdout.splitlines()]
    return {ref.removeprefix(_HEADS): oid for oid, ref in lines}


async def read_branch(repository: Repository, metadata: Path) -> BranchRecord | None:
    """Return the branch that a worktree is on, or that its rebase or bisect will return to."""
    name = checked_out(metadata)
    worked_on = name or _worked_on(metadata)
    if worked_on is None:
        return None
    known, config = await asyncio.gather(heads(repository), _config(repository, worked_on))
    if name is None and worked_on not in known:
        return None
    return BranchRecord(
        name=worked_on,
        tip=known.get(worked_on),
        checked_out=name is not None,
        config=config,
        reflog=_reflog(repository, worked_on),
    )


def checked_out(git_dir: Path) -> str | None:
    """Return the branch that HEAD names."""
    head = _text(git_dir / "HEAD")
    name = head.removeprefix(f"ref: {_HEADS}")
    return name if name != head else None


def used_by(repository: Repository, branch: str, *, beside: Path | None = None) -> Path | None:
    """Return the git directory of a checkout that is on this branch, other than `beside`."""
    folder = repository.common_dir / "worktrees"
    linked = sorted(folder.iterdir()) if folder.is_dir() else []
    own = [] if repository.bare else [repository.common_dir]
    for git_dir in (*own, *linked):
        if git_dir != beside and branch in {checked_out(git_dir), _worked_on(git_dir)}:
            return git_dir
    return None


async def delete_branch(repository: Repository, branch: BranchRecord) -> bool:
    """Delete the branch with its reflog and configuration, if it is where it was recorded.

    Returns:
        True if it is gone.
    """
    if branch.tip is None:
        return False
    command = ["update-ref", "-d", _HEADS + branch.name, branch.tip]
    with suppress(CtuiError):
        await run_git(command, git_dir=repository.common_dir)
    if branch.name in await heads(repository):
        return False
    if await _config(repository, branch.name):
        section = f"branch.{branch.name}"
        with suppress(CtuiError):  # somebody else writes it just now; settings alone do no harm
            await run_git(
                ["config", "--local", "--remove-section", section], git_dir=repository.common_dir
            )
    return True


async def make_branch(repository: Repository, name: str, branch: BranchRecord) -> None:
    """Make a branch at the recorded tip, unless it exists.

    It gets the recorded upstream, and under its old name the recorded reflog.

    Raises:
        ExternalFailure: it is there and at another commit.
    """
    assert branch.tip is not None  # noqa: S101 - one without a commit is not made
    if (await heads(repository)).get(name) != branch.tip:
        # The reflog must stay as it was, without an entry by ctui.
        await run_git(
            ["update-ref", _HEADS + name, branch.tip, "0" * len(branch.tip)],
            git_dir=repository.common_dir,
            config={"core.logAllRefUpdates": "false", "core.fsync": "reference"},
        )
    known = await _config(repository, name)
    for key, value in branch.config if not known else ():
        await run_git(
            ["config", "--local", "--add", f"branch.{name}.{key}", value],
            git_dir=repository.common_dir,
        )
    if branch.reflog is not None and name == branch.name:
        _write_reflog(repository, name, branch.reflog)


async def _config(repository: Repository, name: str) -> list[tuple[str, str]]:
    """Return keys and values of a branch in the repository's own configuration file."""
    said = await run_git(
        ["config", "--local", "-z", "--get-regexp", rf"^branch\.{_escaped(name)}\."],
        git_dir=repository.common_dir,
        check=False,
    )
    found: list[tuple[str, str]] = []
    for field in os.fsdecode(said.stdout).split("\0"):
        key, newline, value = field.partition("\n")
        if key:
            # A key without a value is true (git-config(1)).
            found.append((key.rpartition(".")[2], value if newline else "true"))
    return found


def _escaped(name: str) -> str:
    """Escape text for a POSIX extended regular expression, where few letters may be escaped."""
    return re.sub(r"([].^$*+?(){}|\\[])", r"\\\1", name)


def _worked_on(git_dir: Path) -> str | None:
    for path in ("rebase-merge/head-name", "rebase-apply/head-name"):
        name = _text(git_dir / path)
        if name.startswith(_HEADS):
            return name.removeprefix(_HEADS)
    return _text(git_dir / "BISECT_START").removeprefix(_HEADS) or None


def _reflog(repository: Repository, name: str) -> str | None:
    path = _reflog_path(repository, name)
    if path.is_file() and path.stat().st_size <= _REFLOG_LIMIT:
        return os.fsdecode(path.read_bytes())
    return None


def _write_reflog(repository: Repository, name: str, reflog: str) -> None:
    path = _reflog_path(repository, name)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Git ignores names with this ending among the reflogs.
    replace_file(path, os.fsencode(reflog), mode=None, suffix="lock")


def _reflog_path(repository: Repository, name: str) -> Path:
    return repository.common_dir / "logs" / "refs" / "heads" / name


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes()).rstrip("\n")
    except OSError:
        return ""
