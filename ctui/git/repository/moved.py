"""Repositories and worktrees that were moved without git: what still names the old place.

A linked worktree and its repository name each other by paths. `git worktree repair` writes them
anew, from the side that is still right (git-worktree(1)); no other setting has to be changed.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path

from ctui.errors import Refused
from ctui.small_file import read_small_file
from ctui.text import one_line

_LINK_LIMIT = 1 << 16


def refuse_broken_link(path: Path) -> None:
    """Refuse a folder whose `.git` file names a git directory that is not there.

    Git stops at such a file; what is found further up is another repository.

    Raises:
        Refused: with the line that mends it.
    """
    for folder in (path, *path.parents):
        link = folder / ".git"
        if not os.path.lexists(link):
            continue
        named = link_target(folder)
        if link.is_file() and named is None:
            raise Refused(
                f"{one_line(str(link), 200)} names no git directory",
                hint="it has to be one line: gitdir: PATH",
            )
        if named is not None and not named.exists():
            raise _lost(folder, named)
        return


def trashed_from(path: Path) -> Path | None:
    """Return the repository whose trash a path is in, or None.

    Whoever stood in a worktree that is removed stands in the trash, and goes on working with its
    repository.
    """
    for folder in (path, *path.parents):
        if (named := link_target(folder)) is not None:
            common_dir = named.parent.parent
            # A task wrote the link: the repository has to know the entry.
            if (common_dir / "ctui-trash" / f"{folder.name}.json").is_file():
                return common_dir
    return None


def link_target(folder: Path) -> Path | None:
    """Return the git directory that a folder's `.git` file names, or None if it is no such file."""
    link = folder / ".git"
    with suppress(OSError, ValueError):
        if not link.is_file():
            return None
        text = read_small_file(link, _LINK_LIMIT)
        name = os.fsdecode(text.removeprefix(b"gitdir:").strip())
        if text.startswith(b"gitdir:") and name:
            return Path(os.path.normpath(folder / name))
    return None


def repair_command(common_dir: Path, worktree: Path | None) -> str:
    """Return the command that lets a repository and a worktree name each other again."""
    return _worktree_command(common_dir, "repair", *([worktree] if worktree is not None else []))


def move_command(common_dir: Path, here: Path, there: Path) -> str:
    """Return the command that moves a worktree from one place to another."""
    return _worktree_command(common_dir, "move", here, there)


def _worktree_command(common_dir: Path, verb: str, *paths: Path) -> str:
    place = common_dir.parent if common_dir.name == ".git" else common_dir
    return shlex.join(["git", "-C", str(place), "worktree", verb, *map(str, paths)])


def leads_nowhere(worktree: Path, metadata: Path) -> bool:
    """Return True if a worktree names its repository where that is not, as after a move of it."""
    named = link_target(worktree)
    return named is not None and not named.exists() and named.name == metadata.name


def _lost(folder: Path, named: Path) -> Refused:
    shown = one_line(str(folder), 200)
    if named.parent.name != "worktrees":
        return Refused(
            f"the git directory of {shown} is gone: {one_line(str(named), 200)}",
            hint=f"put it back, or write its new place into {shown}/.git",
        )
    common_dir = named.parent.parent
    if common_dir.is_dir():
        return Refused(
            f"{shown} is no worktree of {one_line(str(common_dir), 200)} any more",
            hint="git worktree prune forgot it: copy what you need of its files elsewhere",
        )
    return Refused(
        f"the repository of the worktree {shown} is gone: {one_line(str(common_dir), 200)}",
        hint=f"if you moved it: git -C ITS_NEW_PLACE worktree repair {shlex.quote(shown)}",
    )


def refuse_stray(common_dir: Path, work_tree: Path | None) -> None:
    """Refuse a git directory that lies apart from its checkout and does not name it."""
    if work_tree is None:
        return
    back = work_tree / ".git"
    if back.is_dir():
        named: Path | None = back
    else:
        named = link_target(work_tree)
    with suppress(OSError, RuntimeError):
        if named is not None and named.resolve() == common_dir:
            return
    # A `core.worktree` in the shared configuration would lead other programs, and git itself in
    # linked worktrees with settings of their own, into this one checkout.
    raise Refused(
        f"the checkout of {common_dir} is elsewhere, and its configuration does not say where",
        hint=f"move it there: `rm CHECKOUT/.git; mv {common_dir} CHECKOUT/.git; "
        "git -C CHECKOUT worktree repair`",
    )
