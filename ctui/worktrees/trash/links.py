"""Links between a worktree and its metadata, rewritten when one of them moves.

The metadata's `gitdir` names the worktree's `.git`, which names the metadata; a submodule has such
a pair of its own. Each keeps its style, absolute or relative.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.files import replace_file, replace_file_in
from ctui.git import hostile
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.git.submodules.submodules import module_dirs
from ctui.worktrees.identity import place_of

_LINK_LIMIT = 1 << 16
_GITDIR = "gitdir: "


class Ends(NamedTuple):
    """Paths of a worktree and its metadata."""

    worktree: Path
    metadata: Path


async def adapt_links(repository: Repository, now: Ends, old: Ends, new: Ends, mark: str) -> None:
    """Make all links fit the places that worktree and metadata are about to get.

    Links that fit already are not written. That is the usual case, unless the repository was
    moved.

    Args:
        repository: whose worktree it is.
        now: where the files to be written are.
        old: what the links were written for.
        new: what they are to fit.
        mark: ends the names of unfinished files, so that they are found again after a crash.
    """
    link = now.metadata / "gitdir"
    text = os.fsdecode(link.read_bytes()).rstrip("\n")
    wanted = _restyled(text, new.worktree / ".git", new.metadata)
    if wanted != text:
        write_file(link, f"{wanted}\n", mark)
    _write_gitfile(now.worktree, (), new.metadata, new.worktree, mark)
    for module in module_dirs(now.metadata):
        await _adapt_module(repository, module, now, old, new, mark)


async def _adapt_module(
    repository: Repository, module: str, now: Ends, old: Ends, new: Ends, mark: str
) -> None:
    """Adapt one submodule: `core.worktree` of its repository, and the `.git` in its checkout."""
    config = now.metadata / module / "config"
    said = await run_git(
        ["config", "--file", config, "-z", "--get", "core.worktree"],
        git_dir=repository.common_dir,
        check=False,
    )
    value = os.fsdecode(said.stdout).rstrip("\0")
    if not value:
        return
    for ends in (old, new):  # what an interrupted restore wrote fits the new places already
        checkout = os.path.normpath(ends.metadata / module / value)
        inside = os.path.relpath(checkout, place_of(ends.worktree))
        if not inside.startswith(".."):
            break
    else:
        return
    wanted = _restyled(value, new.worktree / inside, new.metadata / module)
    if wanted != value:
        await run_git(
            ["config", "--file", config, "core.worktree", wanted], git_dir=repository.common_dir
        )
    parts = Path(inside).parts
    _write_gitfile(now.worktree, parts, new.metadata / module, new.worktree / inside, mark)


def _write_gitfile(root: Path, parts: tuple[str, ...], target: Path, at: Path, mark: str) -> None:
    """Make the `.git` file of a checkout name `target`, if it is a file; no link is followed."""
    with hostile.folder(root, *parts) as folder:
        if folder is None or (descriptor := hostile.open_file(".git", folder)) is None:
            return
        with os.fdopen(descriptor, "rb") as file:
            text = os.fsdecode(file.read(_LINK_LIMIT)).rstrip("\n")
            status = os.fstat(file.fileno())
        # A killed writer may have left this file, and the link may not need a change any more.
        with suppress(FileNotFoundError):
            os.unlink(f".git.{mark}", dir_fd=folder)
        wanted = _GITDIR + _restyled(text.removeprefix(_GITDIR), target, at)
        if wanted == text or not text.startswith(_GITDIR):
            return
        replace_file_in(folder, ".git", os.fsencode(f"{wanted}\n"), like=status, suffix=mark)


def write_file(path: Path, text: str, mark: str) -> None:
    """Replace a file of the metadata, keeping its mode."""
    like = path.stat() if path.exists() else None
    replace_file(path, os.fsencode(text), mode=None, like=like, suffix=mark)


def _restyled(text: str, target: Path, at: Path) -> str:
    """Return `target` in the style of the text: absolute, or relative to `at`."""
    return str(target) if Path(text).is_absolute() else os.path.relpath(target, at)
