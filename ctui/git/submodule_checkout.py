"""Submodules in a new worktree, filled from the repositories that this machine has.

`git submodule update` would clone each of them anew, by network; relative addresses and those that
need a login fail then. Here each gets a repository of its own in the worktree's metadata, where git
looks for it, which borrows the objects.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from ctui.errors import CtuiError
from ctui.files import replace_file
from ctui.git.command import run_git
from ctui.git.repository import Repository
from ctui.git.shallow import copy_shallow
from ctui.git.submodules import Submodule, module_sources, submodules_of

_SECONDS = 600
_DEPTH = 8
_COPIED = r"^(remote\..*\.(url|fetch|pushurl)|submodule\..*\.(url|active))$"


async def fill_submodules(
    repository: Repository, metadata: Path, work_tree: Path, commit: str
) -> list[tuple[Path, Path]]:
    """Fill the submodules of a worktree that was just checked out.

    What no repository here has the commit of stays empty.

    Args:
        repository: whose checkouts may have the submodules.
        metadata: of the worktree.
        work_tree: its files, all of them of the commit: no task has been here.
        commit: that is checked out.

    Returns:
        the git directory and the files of each that was filled, the outer before the inner ones.
    """
    if not _has_submodules(repository, commit):
        return []
    sources = module_sources(repository.common_dir, repository.here)
    return await _fill(metadata, work_tree, commit, sources, _DEPTH)


def _has_submodules(repository: Repository, commit: str) -> bool:
    """Return True unless a commit is sure to have none, which is known without a process."""
    import pygit2

    try:
        return ".gitmodules" in repository.git[commit].peel(pygit2.Tree)
    except (KeyError, ValueError, pygit2.GitError):
        return True


async def _fill(
    git_dir: Path, work_tree: Path, commit: str, sources: list[Path], depth: int
) -> list[tuple[Path, Path]]:
    filled: list[tuple[Path, Path]] = []
    for found in await submodules_of(git_dir, commit, sources):
        module, checkout = git_dir / "modules" / found.name, work_tree / found.path
        # A sparse checkout leaves some out.
        there = checkout.is_dir() and not checkout.is_symlink()
        if found.source is None or not depth or not there:
            continue
        try:
            await _fill_one(found, found.source, module, checkout)
        except (CtuiError, OSError):
            await asyncio.to_thread(_undo, module, checkout)
            continue
        inner = await _fill(module, checkout, found.commit, [found.source], depth - 1)
        filled += [(module, checkout), *inner]
    return filled


async def _fill_one(found: Submodule, source: Path, module: Path, checkout: Path) -> None:
    await asyncio.to_thread(_lay_out, found, source, module)
    await _configure(source, module, checkout)
    # No filter runs: what the submodule stores transformed stays as it is stored.
    await run_git(
        ["reset", "--quiet", "--hard", "--no-recurse-submodules", found.commit],
        git_dir=module,
        work_tree=checkout,
        timeout=_SECONDS,
    )
    replace_file(checkout / ".git", f"gitdir: {os.path.relpath(module, checkout)}\n".encode())
    (checkout / ".git").chmod(0o644)


def _lay_out(found: Submodule, source: Path, module: Path) -> None:
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (module / name).mkdir(parents=True)
    borrowed = "".join(f"{path}\n" for path in Repository(source, None).object_directories())
    (module / "objects/info/alternates").write_bytes(os.fsencode(borrowed))
    copy_shallow(source, module)
    (module / "HEAD").write_text(f"{found.commit}\n")


async def _configure(source: Path, module: Path, checkout: Path) -> None:
    """Write its settings: the addresses that the person's own repository of it has."""
    said = await run_git(
        ["config", "--file", source / "config", "-z", "--get-regexp", _COPIED],
        git_dir=source,
        check=False,
    )
    values = [
        ("core.repositoryformatversion", "0"),
        ("core.bare", "false"),
        ("core.logallrefupdates", "true"),
        ("core.worktree", os.path.relpath(checkout, module)),
    ]
    for field in os.fsdecode(said.stdout).split("\0"):
        key, _, value = field.partition("\n")
        if key and value:
            values.append((key, value))
    for key, value in values:
        await run_git(["config", "--file", module / "config", "--add", key, value], git_dir=source)
    # What the person's repository of it knows of others, so that its commits count as known.
    refs = await run_git(
        ["for-each-ref", "--format=%(objectname) %(refname)", "refs/remotes/", "refs/tags/"],
        git_dir=source,
    )
    (module / "packed-refs").write_bytes(b"# pack-refs with: sorted \n" + refs.stdout)


def _undo(module: Path, checkout: Path) -> None:
    """Make an empty folder of it again, as git leaves a submodule that nobody filled."""
    shutil.rmtree(module, ignore_errors=True)
    shutil.rmtree(checkout, ignore_errors=True)
    checkout.mkdir(exist_ok=True)
