"""Folders that have a branch checked out, opened by metadata that no task can write.

The place of the main checkout is taken from the trusted repository, that of a linked worktree from
its folder below `.git/worktrees`, and never from the `.git` among its own files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Refused
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.identity import checked_path, text_of
from ctui.worktrees.mending import what_to_do
from ctui.worktrees.model import WorktreeRecord

NOTE = "ctui-transition.json"
"""File in the git directory of a checkout whose branch and files are being moved."""

_BRANCH = "refs/heads/"
_NO_TEXT = re.compile("[\ud800-\udfff]")
"""Stand-ins for bytes that are not UTF-8; libgit2 takes no such name."""

_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "sequencer": "a cherry-pick",
}
_BRANCH_IN_USE = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")


class Checkout(NamedTuple):
    """Files of a branch, and the git directory that knows them."""

    git_dir: Path
    """The main checkout's `.git`, or a linked worktree's folder below `.git/worktrees`."""
    work_tree: Path

    @property
    def ref(self) -> str | None:
        """The full name of its branch, or None while HEAD is detached."""
        text = text_of(self.git_dir / "HEAD")
        ref = text.removeprefix("ref:").strip()
        named = text.startswith("ref:") and ref.startswith(_BRANCH)
        return ref if named and not _NO_TEXT.search(ref) else None

    @property
    def unfinished(self) -> str | None:
        """The operation under way there ("a merge", "a rebase", …), or None."""
        return next((w for name, w in _UNFINISHED.items() if (self.git_dir / name).exists()), None)


def branch_name(ref: str) -> str:
    """Return the short name of a branch."""
    return ref.removeprefix(_BRANCH)


def main_checkout(repository: Repository) -> Checkout | None:
    """Return the repository's own checkout, or None if its configuration names no folder."""
    if repository.work_tree is None:
        return None
    return Checkout(repository.common_dir, repository.work_tree)


def linked_checkout(
    repository: Repository, metadata: Path, record: WorktreeRecord | None = None
) -> Checkout:
    """Return a linked worktree's checkout if its metadata and its folder still name each other.

    Args:
        repository: whose worktree it is.
        metadata: its folder below `.git/worktrees`.
        record: what was true when it was made, if that is known.

    Raises:
        Refused: it is missing, or something else is at its place.
    """
    work_tree, problem = checked_path(repository, metadata, record)
    if problem == "missing":
        raise Refused(
            f"the folder of the worktree {one_line(metadata.name)} is missing",
            hint=what_to_do(problem, work_tree, metadata),
        )
    if problem is not None:
        raise Refused(
            f"{one_line(str(work_tree), 200)} is {problem}: it and git's record of it do not fit",
            hint=what_to_do(problem, work_tree, metadata),
        )
    return Checkout(metadata, work_tree)


def all_checkouts(repository: Repository) -> list[Checkout]:
    """Return the main checkout and every linked worktree that can be trusted."""
    main = main_checkout(repository)
    found = [main] if main is not None else []
    for git_dir in _git_dirs(repository):
        if git_dir != repository.common_dir:
            with suppress(Refused):
                found.append(linked_checkout(repository, git_dir))
    return found


def checkout_of(repository: Repository, ref: str) -> Checkout | None:
    """Return the checkout that has this branch, or None.

    Args:
        repository: whose main checkout and linked worktrees are looked at.
        ref: the full name of a branch.

    Raises:
        Refused: several have it, one of them cannot be opened, or a rebase or bisection there
            will come back to it.
    """
    using = [git_dir for git_dir in _git_dirs(repository) if _uses(git_dir, ref)]
    if not using:
        return None
    if len(using) > 1:
        raise Refused(
            f"{one_line(branch_name(ref))} is checked out in {len(using)} places",
            hint="keep it in one: git switch in the others",
        )
    git_dir = using[0]
    main = main_checkout(repository)
    if git_dir != repository.common_dir:
        found = linked_checkout(repository, git_dir)
    elif main is not None:
        found = main
    else:
        return None
    if found.ref != ref:
        raise Refused(
            f"{one_line(branch_name(ref))} is being rebased or bisected in {found.work_tree}",
            hint="finish or abort that first",
        )
    return found


def _git_dirs(repository: Repository) -> Iterator[Path]:
    # The HEAD of a bare repository is no checkout: it names the branch that a clone begins with.
    if not repository.bare:
        yield repository.common_dir
    folder = repository.common_dir / "worktrees"
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.is_dir())


def _uses(git_dir: Path, ref: str) -> bool:
    if text_of(git_dir / "HEAD") == f"ref: {ref}":
        return True
    return any(text_of(git_dir / name) in {ref, branch_name(ref)} for name in _BRANCH_IN_USE)
