"""Uncommitted work of a checkout, brought into a worktree that begins at the same commit.

Staged work stays staged, and what is not stays so. The checkout and its index are only read: git
looks at a copy of the index, which then is the worktree's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from ctui.errors import Refused, Unavailable
from ctui.git.process.command import IGNORE_SUBMODULES, run_git
from ctui.git.stored.attributes import LFS, transformed_among
from ctui.text import one_line
from ctui.worktrees.bring.copying import copy_files, remove_files
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.owner import give_to_tasks

_SECONDS = 120
_SHOWN = 5
_UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


def check_quiet(git_dir: Path) -> None:
    """Refuse a checkout in which git is in the middle of something.

    Raises:
        Refused: it says what that is.
    """
    for name in _UNDER_WAY:
        if (git_dir / name).exists():
            what = name.removesuffix("_HEAD").replace("_", "-").lower().removesuffix("-apply")
            raise Refused(
                f"a {what.removesuffix('-merge')} is under way in the checkout",
                hint="end or abort it first: its half-done work cannot be brought",
            )


async def bring_changes(
    git_dir: Path, files: Path, record: WorktreeRecord, allowed: tuple[str, ...] = ()
) -> dict[bytes, str]:
    """Make a fresh worktree differ from its commit exactly as a checkout does.

    Args:
        git_dir: of the checkout, which is at the same commit.
        files: its work tree.
        record: the worktree; nobody has worked in it.
        allowed: filters of the person that hide nothing.

    Returns:
        what could not be brought, and why.

    Raises:
        Refused: a changed file is stored by a filter that hides it, or the index has conflicts.
        CtuiError: it cannot be read or written.
    """
    target, metadata = Path(record.path), Path(record.metadata)
    with tempfile.TemporaryDirectory(prefix="ctui-changes-") as folder:
        index = Path(folder, "index")
        env = {"GIT_INDEX_FILE": str(index)}
        await asyncio.to_thread(_copy_index, git_dir / "index", index)
        # One file that depends on no other, and on no daemon.
        alone = ["--no-split-index", "--no-untracked-cache", "--no-fsmonitor"]
        plain = ["update-index", *alone, "--force-write-index"]
        await run_git(plain, git_dir=git_dir, work_tree=files, env=env)
        unmerged = await run_git(["ls-files", "--unmerged", "-z"], git_dir=git_dir, env=env)
        if unmerged.stdout:
            raise Refused("the checkout has conflicts", hint="resolve them first")
        changed = await _names(
            ["diff-index", "--name-only", "--no-renames", "-z", IGNORE_SUBMODULES, "HEAD"],
            *(git_dir, files, env),
        )
        edited = await _names(
            ["diff-files", "--name-only", "--no-renames", "-z", IGNORE_SUBMODULES],
            *(git_dir, files, env),
        )
        new = await _names(
            ["ls-files", "-z", "--others", "--exclude-standard"], *(git_dir, files, env)
        )
        nested = {path: "it is a repository of its own" for path in new if path.endswith(b"/")}
        work = sorted({*changed, *edited, *new} - set(nested))
        await _refuse_hidden(git_dir, files, work, allowed)
        left = await asyncio.to_thread(_write, files, target, work)
        shutil.copyfile(index, metadata / "index")
    await run_git(
        ["update-index", "-q", "--refresh"],
        git_dir=metadata,
        work_tree=target,
        check=False,
        timeout=_SECONDS,
    )
    await asyncio.to_thread(give_to_tasks, target)
    return {**nested, **left}


def _copy_index(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return  # a repository without a file
    except OSError as error:
        raise Unavailable(f"{source} cannot be read: {error.strerror}") from error


async def _names(
    command: list[str], git_dir: Path, files: Path, env: dict[str, str]
) -> list[bytes]:
    said = await run_git(command, git_dir=git_dir, work_tree=files, env=env, timeout=_SECONDS)
    return [name for name in said.stdout.split(b"\0") if name]


async def _refuse_hidden(
    git_dir: Path, files: Path, paths: list[bytes], allowed: tuple[str, ...]
) -> None:
    rules = await transformed_among(git_dir, files, paths)
    hidden = {
        path: rule.filter
        for path, rule in rules.items()
        if rule.filter and rule.filter != LFS and rule.filter not in allowed
    }
    if hidden:
        shown = ", ".join(one_line(os.fsdecode(path), 60) for path in sorted(hidden)[:_SHOWN])
        raise Refused(
            f"a task would see {shown} without the filter {one_line(min(hidden.values()), 60)}",
            hint="commit these first, or allow a filter that hides nothing in git.filters",
        )


def _write(files: Path, target: Path, paths: list[bytes]) -> dict[bytes, str]:
    there = [path for path in paths if _is_file(files / os.fsdecode(path))]
    gone = set(paths).difference(there)
    try:
        # First, because a folder may become a file, and a file a folder.
        remove_files(target, sorted(gone))
        return copy_files(files, target, there, replace=True)
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error.strerror}") from error


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()
