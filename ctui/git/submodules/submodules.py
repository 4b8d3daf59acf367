"""Submodules of a commit, and the repositories that this machine has of them.

Git keeps the repository of a submodule in `modules/<name>` of the git directory whose checkout has
it: `.git/modules/lib`, or `.git/worktrees/w/modules/lib`; one in a submodule lies below that again.
A task can write none of these, so host git may use them by their own path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ctui.git.process.command import run_git

_NO_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\\]")
_PATH_KEY = re.compile(r"^submodule\.(.+)\.path\n(.+)$", re.DOTALL)
_MOST = 200
"""Number of submodules that are looked for."""


class Submodule(NamedTuple):
    """A commit of another repository, at a path."""

    name: str
    path: str
    commit: str
    source: Path | None
    """A repository on this machine that has the commit, if there is one."""


async def submodules_of(git_dir: Path, commit: str, sources: Sequence[Path]) -> list[Submodule]:
    """Return the submodules that a commit and its `.gitmodules` name.

    What has no proper name or path is left out: it stays empty, as in any fresh checkout.

    Args:
        git_dir: the repository of the commit.
        commit: whose files they are.
        sources: git directories that may have repositories of submodules.
    """
    said = await run_git(
        ["config", "--blob", f"{commit}:.gitmodules", "-z", "--get-regexp", r"\.path$"],
        git_dir=git_dir,
        check=False,
    )
    if said.exit_code:
        return []
    names: dict[str, str] = {}
    for field in said.stdout.decode("utf-8", "surrogateescape").split("\0"):
        if (match := _PATH_KEY.match(field)) and _proper(match[1]) and _proper(match[2]):
            names.setdefault(match[2], match[1])
    if not names:
        return []
    listed = await run_git(
        ["ls-tree", "-z", commit, "--", *list(names)[:_MOST]],
        git_dir=git_dir,
        env={"GIT_LITERAL_PATHSPECS": "1"},
    )
    found = []
    for entry in filter(None, listed.stdout.decode("utf-8", "surrogateescape").split("\0")):
        facts, _, path = entry.partition("\t")
        mode, _, oid = facts.split()
        if mode == "160000" and path in names:
            source = await _source(sources, names[path], oid)
            found.append(Submodule(names[path], path, oid, source))
    return found


async def _source(sources: Sequence[Path], name: str, commit: str) -> Path | None:
    for folder in sources:
        module = folder / "modules" / name
        if (module / "HEAD").is_file() and await has_commit(module, commit):
            return module
    return None


async def has_commit(git_dir: Path, commit: str) -> bool:
    """Return True if a commit is there, without fetching anything."""
    said = await run_git(
        ["cat-file", "-e", f"{commit}^{{commit}}"], git_dir=git_dir, check=False, timeout=10
    )
    return said.exit_code == 0


def module_sources(common_dir: Path, here: Path) -> list[Path]:
    """Return the git directories whose checkouts may have submodules, the nearest first."""
    folder = common_dir / "worktrees"
    linked = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return list(dict.fromkeys([here, common_dir, *linked]))


def module_dirs(git_dir: Path) -> Iterator[str]:
    """Yield the repositories of submodules, nested ones too, as paths below a git directory."""
    for folder, names, files in os.walk(git_dir / "modules"):
        if "HEAD" in files and "config" in files:
            yield os.path.relpath(folder, git_dir)
            names[:] = [name for name in names if name == "modules"]


async def checkouts_of_modules(git_dir: Path, work_tree: Path) -> dict[str, Path]:
    """Return path in a checkout -> repository, of every submodule that was ever filled there.

    Args:
        git_dir: of the checkout.
        work_tree: its files, which say nothing of it.
    """
    root, found = work_tree.resolve(), dict[str, Path]()
    for name in module_dirs(git_dir):
        module = git_dir / name
        said = await run_git(
            ["config", "--file", module / "config", "-z", "--get", "core.worktree"],
            git_dir=git_dir,
            check=False,
        )
        value = os.fsdecode(said.stdout).rstrip("\0")
        if value:
            place = os.path.normpath(module / value)
            inside = os.path.relpath(place, root)
            if not inside.startswith("..") and inside != ".":
                found[inside] = module
    return found


def _proper(text: str) -> bool:
    """Return True for a name or path that leads nowhere else, by git's own rules and stricter."""
    parts = PurePosixPath(text).parts
    plain = not text.startswith(("/", "-")) and not _NO_NAME.search(text)
    return bool(parts) and plain and not any(part.lower() in {"..", ".git"} for part in parts)
