"""Files that `.worktreeinclude` names: ignored files of a checkout that a new worktree needs.

As Claude Code reads it: patterns as in `.gitignore`, and only what git ignores is copied. It comes
with the repository, so it is bounded, and what it names is only data.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ctui.git import hostile
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.git.stored.attributes import LFS, transformed_among
from ctui.worktrees.bring.copying import link_problem
from ctui.worktrees.identity import metadata_of
from ctui.worktrees.layout import settings_folder

FILE = ".worktreeinclude"
_FILE_LIMIT = 1 << 16
_ENTRIES = 500_000
"""Entries of the checkout that are looked at for what git does not list: sockets, devices."""
_SECONDS = 120


class Listing(msgspec.Struct, frozen=True):
    """Files that would be copied, and those that would not."""

    source: Path
    """The checkout that they are in."""
    files: tuple[bytes, ...] = ()
    size: int = 0
    left: dict[bytes, str] = {}
    """Path -> why it is left out."""

    @property
    def digest(self) -> str:
        """Return a hash of the list: consent to it covers no other."""
        return hashlib.sha256(b"\0".join(self.files)).hexdigest()


def source_of(repository: Repository) -> tuple[Path, Path] | None:
    """Return git directory and folder of the checkout that files are taken from, or None.

    That is the main checkout, or beside a bare repository the worktree of its default branch: any
    other one is a task's to write.
    """
    files = settings_folder(repository)
    if files is None:
        return None
    return (metadata_of(files) if repository.bare else repository.common_dir), files


def patterns_of(files: Path) -> bytes:
    """Return the patterns of a checkout's `.worktreeinclude`; none where it is no small file."""
    return hostile.read_file(files, FILE, limit=_FILE_LIMIT) or b""


async def listing(
    git_dir: Path, files: Path, patterns: bytes, allowed: Sequence[str] = ()
) -> Listing:
    """Return what patterns match of the files that git ignores in a checkout.

    Args:
        git_dir: of the checkout.
        files: its work tree.
        patterns: as in a `.gitignore` at its root.
        allowed: filters that hide nothing.

    Raises:
        CtuiError: git cannot say it.
    """
    if not patterns.strip():
        return Listing(files)
    ignored = await run_git(
        ["ls-files", "-z", "--others", "--ignored", "--exclude-standard"],
        git_dir=git_dir,
        work_tree=files,
        timeout=_SECONDS,
    )
    names = [path for path in ignored.stdout.split(b"\0") if path]
    special = await asyncio.to_thread(lambda: list(_special(files)))
    matching = await _matching(patterns, [*names, *special])
    rules = await transformed_among(git_dir, files, [one for one in matching if one[-1:] != b"/"])
    return await asyncio.to_thread(
        _sorted_out,
        files,
        matching,
        set(special),
        {
            path: rule.filter
            for path, rule in rules.items()
            if rule.filter and rule.filter != LFS and rule.filter not in allowed
        },
    )


async def _matching(patterns: bytes, names: Sequence[bytes]) -> list[bytes]:
    """Return the names that a `.gitignore` with these patterns would ignore."""
    if not names:
        return []
    with tempfile.TemporaryDirectory(prefix="ctui-include-") as folder:
        git_dir, empty = Path(folder, "git"), Path(folder, "empty")
        for made in (git_dir / "objects", git_dir / "refs", git_dir / "info", empty):
            made.mkdir(parents=True)
        (git_dir / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
        (git_dir / "info" / "exclude").write_bytes(patterns)
        said = await run_git(
            ["check-ignore", "--no-index", "-z", "--stdin"],
            git_dir=git_dir,
            work_tree=empty,
            cwd=empty,
            input=b"".join(name + b"\0" for name in names),
            config={"core.excludesFile": "/dev/null"},
            check=False,  # 1: none
            timeout=_SECONDS,
            blanked=(),
        )
    return [name for name in said.stdout.split(b"\0") if name]


def _sorted_out(
    files: Path, matching: Sequence[bytes], special: set[bytes], encrypted: dict[bytes, str]
) -> Listing:
    chosen: list[bytes] = []
    left: dict[bytes, str] = {}
    size = 0
    for path in sorted(matching):
        if path in special:
            left[path] = "it is a socket, a pipe or a device"
        elif path.endswith(b"/"):
            left[path] = "it is a repository of its own"
        elif path in encrypted:
            left[path] = f"the repository stores it by the filter {encrypted[path]}"
        elif why := _problem(files, path):
            left[path] = why
        else:
            chosen.append(path)
            size += (files / os.fsdecode(path)).lstat().st_size
    return Listing(files, tuple(chosen), size, left)


def _problem(files: Path, path: bytes) -> str:
    full = files / os.fsdecode(path)
    try:
        if stat.S_ISLNK(full.lstat().st_mode):
            return link_problem(path, os.fsencode(full.readlink()))
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return ""


def _special(files: Path) -> Iterator[bytes]:
    """Yield what is neither a file nor a folder nor a link: git lists none of it."""
    folders, budget = [files], _ENTRIES
    while folders:
        folder = folders.pop()
        try:
            entries = os.scandir(folder)
        except OSError:
            continue
        with entries:
            for entry in entries:
                budget -= 1
                if budget < 0:
                    return
                path = folder / entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        folders.append(path)
                elif not entry.is_symlink() and not entry.is_file(follow_symlinks=False):
                    yield os.fsencode(path.relative_to(files))
