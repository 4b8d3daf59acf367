"""Submodules in a new worktree, filled from the repositories that this machine has.

`git submodule update` would clone each of them anew, by network; relative addresses and those that
need a login fail then. Here each gets a repository of its own in the worktree's metadata, where git
looks for it, which borrows the objects.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ctui.errors import CtuiError
from ctui.files import replace_file
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.git.repository.shallow import copy_shallow
from ctui.git.submodules.submodules import Submodule, module_sources, submodules_of

_SECONDS = 600
Lasting = Callable[[Path], bool]
"""Function that returns True for a folder of objects that may be borrowed for long.

A linked worktree can be removed; only beside a bare repository one of them is as good as any.
"""

_DEPTH = 8
_COPIED = r"^(remote\..*\.(url|fetch|pushurl)|submodule\..*\.(url|active))$"


async def fill_submodules(
    repository: Repository, metadata: Path, work_tree: Path, commit: str, like: Path
) -> list[tuple[Path, Path]]:
    """Fill the submodules of a worktree that was just checked out.

    What no repository here has the commit of stays empty.

    Args:
        repository: whose checkouts may have the submodules.
        metadata: of the worktree.
        work_tree: its files, all of them of the commit: no task has been here.
        commit: that is checked out.
        like: the git directory of the checkout that the worktree is like, which is looked at first;
            beside a bare repository it is taken to stay.

    Returns:
        the git directory and the files of each that was filled, the outer before the inner ones.
    """
    if not _has_submodules(repository, commit):
        return []
    sources = module_sources(repository.common_dir, like)
    linked = repository.common_dir / "worktrees"
    keep = like if repository.bare else repository.common_dir / "modules"

    def lasting(objects: Path) -> bool:
        return not objects.is_relative_to(linked) or objects.is_relative_to(keep)

    return await _fill(metadata, work_tree, commit, sources, lasting, _DEPTH)


def _has_submodules(repository: Repository, commit: str) -> bool:
    """Return True unless a commit is sure to have none, which is known without a process."""
    import pygit2

    try:
        return ".gitmodules" in repository.git[commit].peel(pygit2.Tree)
    except (KeyError, ValueError, pygit2.GitError):
        return True


async def _fill(
    git_dir: Path,
    work_tree: Path,
    commit: str,
    sources: list[Path],
    lasting: Lasting,
    depth: int,
) -> list[tuple[Path, Path]]:
    filled: list[tuple[Path, Path]] = []
    for found in await submodules_of(git_dir, commit, sources):
        module, checkout = git_dir / "modules" / found.name, work_tree / found.path
        # A sparse checkout leaves some out.
        there = checkout.is_dir() and not checkout.is_symlink()
        if found.source is None or not depth or not there:
            continue
        try:
            await _fill_one(found, found.source, module, checkout, lasting)
        except (CtuiError, OSError):
            await asyncio.to_thread(_undo, module, checkout)
            continue
        inside = [source / "modules" / found.name for source in sources]
        inner = await _fill(module, checkout, found.commit, inside, lasting, depth - 1)
        filled += [(module, checkout), *inner]
    return filled


async def _fill_one(
    found: Submodule, source: Path, module: Path, checkout: Path, lasting: Lasting
) -> None:
    borrowed = Repository(source, None).object_directories()
    await asyncio.to_thread(_lay_out, found, source, module, list(filter(lasting, borrowed)))
    await _configure(source, module, checkout)
    if not all(map(lasting, borrowed)):
        await _copy(found, source, module)
    # No filter runs: what the submodule stores transformed stays as it is stored.
    await run_git(
        ["reset", "--quiet", "--hard", "--no-recurse-submodules", found.commit],
        git_dir=module,
        work_tree=checkout,
        timeout=_SECONDS,
    )
    replace_file(checkout / ".git", f"gitdir: {os.path.relpath(module, checkout)}\n".encode())
    (checkout / ".git").chmod(0o644)


async def _copy(found: Submodule, source: Path, module: Path) -> None:
    """Copy what lies in a worktree that may go: the commit's history, and what its refs name."""
    refs = (module / "packed-refs").read_text(errors="replace").splitlines()[1:]
    names = [found.commit, *(line.split()[0] for line in refs)]
    await run_git(
        ["pack-objects", "--quiet", "--revs", "--local", module / "objects" / "pack" / "pack"],
        git_dir=source,
        timeout=_SECONDS,
        input="".join(f"{name}\n" for name in names).encode(),
    )


def _lay_out(found: Submodule, source: Path, module: Path, borrowed: list[Path]) -> None:
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (module / name).mkdir(parents=True)
    listed = "".join(f"{path}\n" for path in borrowed)
    (module / "objects/info/alternates").write_bytes(os.fsencode(listed))
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
