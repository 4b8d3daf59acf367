"""Unsaved work in the submodules of a worktree.

Asked of the repositories in the worktree's own metadata, which no task can write, about files that
it can: exactly as for the worktree itself. A repository that a task made is never opened.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ctui.errors import CtuiError
from ctui.git import hostile
from ctui.git.process.command import run_git
from ctui.git.submodules.submodules import checkouts_of_modules
from ctui.worktrees.model import Changes

_LINK_LIMIT = 1 << 16
_GITFILE = b"gitdir: "
_MOST_COMMITS = 1000


class InSubmodules(NamedTuple):
    """Unsaved work in all submodules of a worktree."""

    changed: int = 0
    """Number of submodules with unsaved files or with another commit than the worktree names."""
    unchecked: bool = False
    """True if something is there that cannot be looked at."""


Look = Callable[[Path, Path], Awaitable[tuple[str | None, Changes, bool]]]
"""Function that looks at a checkout by its git directory and files.

It returns HEAD's commit, the changes, and True if something in it cannot be looked at.
"""


async def in_submodules(
    git_dir: Path, work_tree: Path, gitlinks: Iterable[tuple[str, bytes]], look: Look
) -> InSubmodules:
    """Look into the submodules of a checkout.

    Args:
        git_dir: of the checkout.
        work_tree: its files.
        gitlinks: commit and path of each submodule that its index names.
        look: how a checkout is looked at.

    Raises:
        CtuiError: git failed.
    """
    work_tree = work_tree.resolve()
    known = await checkouts_of_modules(git_dir, work_tree)
    # Those in a submodule are its own.
    outer = set(known.values())
    known = {path: at for path, at in known.items() if not outer.intersection(at.parents)}
    changed, unchecked = 0, False
    for commit, raw in gitlinks:
        path = os.fsdecode(raw)
        module = known.pop(path, None)
        if module is None:
            # Nobody filled it. A folder that is missing has been deleted.
            unchecked |= not _is_empty(work_tree, path)
            continue
        if not _leads_to(work_tree, path, module):
            unchecked = True
            continue
        head, changes, blind = await look(module, work_tree / path)
        unchecked |= blind
        if head != commit or changes.any or await _has_own_commits(module):
            changed += 1
    for module in known.values():
        # Its files went with a commit that does not name it any more.
        unchecked |= await _has_branches(module) or await _has_own_commits(module)
    return InSubmodules(changed, unchecked)


def _is_empty(work_tree: Path, path: str) -> bool:
    with hostile.folder(work_tree, *Path(path).parts) as folder:
        return folder is not None and not any(True for _ in os.scandir(folder))


def _leads_to(work_tree: Path, path: str, module: Path) -> bool:
    """Return True if a submodule's folder has the `.git` file that leads to its repository."""
    with hostile.folder(work_tree, *Path(path).parts) as folder:
        if folder is None or (descriptor := hostile.open_file(".git", folder)) is None:
            return False
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(_LINK_LIMIT).rstrip(b"\n")
    if not text.startswith(_GITFILE):
        return False
    named = os.path.normpath(work_tree / path / os.fsdecode(text.removeprefix(_GITFILE)))
    return named == str(module)


async def _has_own_commits(module: Path) -> bool:
    """Return True if it has commits that neither a remote nor what it borrows from has."""
    ours = ("HEAD", "--branches", "--glob=refs/stash", "--glob=refs/ctui/*")
    said = await run_git(
        ["rev-list", f"--max-count={_MOST_COMMITS}", *ours, "--not", "--remotes", "--tags"],
        git_dir=module,
        check=False,
    )
    if said.exit_code:
        return True
    own = said.stdout.split()
    return bool(own) and not await _all_borrowed(module, own)


async def _all_borrowed(module: Path, commits: list[bytes]) -> bool:
    """Return True if all of the commits are in a repository that this one borrows from."""
    alternates = module / "objects" / "info" / "alternates"
    if not alternates.is_file() or len(commits) >= _MOST_COMMITS:
        return False
    said = await run_git(
        ["cat-file", "--batch-check"],
        git_dir=module,
        input=b"".join(commit + b"\n" for commit in commits),
        # Only what it borrows counts, and none of its own objects.
        env={"GIT_OBJECT_DIRECTORY": _first_line(alternates)},
        check=False,
    )
    return not said.exit_code and b" missing" not in said.stdout


def _first_line(path: Path) -> str:
    return os.fsdecode(path.read_bytes().partition(b"\n")[0])


async def _has_branches(module: Path) -> bool:
    try:
        said = await run_git(
            ["for-each-ref", "--count=1", "refs/heads/", "refs/stash"], git_dir=module
        )
    except CtuiError:
        return True
    return bool(said.stdout)
