"""Bare repository of our own that borrows a repository's objects, for merges apart from it.

A merge writes objects, obeys attributes and runs drivers that the configuration names. In here it
writes nothing into the person's repository, and finds no attribute, driver, hook or setting.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ctui.errors import CtuiError, Unavailable
from ctui.file_lock import FileLock, lock_descriptor
from ctui.git.process.command import run_git
from ctui.git.process.version import git_version
from ctui.git.repository.borrowing import AS_STORED, lay_out
from ctui.git.repository.opening import open_trusted
from ctui.git.repository.repository import Repository
from ctui.paths import private_folder
from ctui.worktrees.proof.question import MERGE_TREE_VERSION
from ctui.worktrees.proof.tree_changes import Changes, changes_between, changes_of_pairs

if TYPE_CHECKING:
    import pygit2

_SECONDS = 60
_PREFIX = "scratch-"

_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = true
\tattributesFile = /dev/null
\tlooseCompression = 0
[merge]
\trenames = true
\trenormalize = false
[diff]
\trenames = true
\trenameLimit = 1000
"""


class Scratch:
    """Borrowed objects, opened twice by libgit2 and once by git."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.objects: pygit2.Repository = open_trusted(path)
        """Repository for looking up objects and for merges."""
        self.graph: pygit2.Repository = open_trusted(path)
        """To walk commits. A commit that was looked up is kept in another form than a walk reads:
        walks over such commits take ten times as long."""
        self.failed = False
        """True if a git process failed that was needed, so that another try may find more."""
        self._changes: dict[str, Changes] = {}
        """By both trees, as `diff-tree --stdin` takes and says them."""

    def commit(self, oid: str | pygit2.Oid) -> pygit2.Commit:
        """Return a commit.

        Raises:
            KeyError: it is missing.
            ValueError: it is something else, or the id is none.
        """
        from pygit2.enums import ObjectType

        found = self.objects[oid]
        if found.type != ObjectType.COMMIT:
            raise ValueError("it is no commit")
        return cast("pygit2.Commit", found)

    def tree(self, commit: str | pygit2.Oid) -> pygit2.Tree:
        """Return the files of a commit; raises as `commit`."""
        return self.commit(commit).tree

    def compare(self, pairs: Iterable[tuple[pygit2.Oid, pygit2.Oid]]) -> None:
        """Compare many pairs of trees that will be asked for, all of them by one process.

        Libgit2 takes ten times as long, because it also reads what is the same in both. It is asked
        for what git cannot compare.
        """
        lines = {f"{before} {after}\n" for before, after in pairs}
        options = ("--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules=none")
        output = self.git(
            *("diff-tree", "--stdin", "-r", *options),
            given="".join(lines).encode(),
            needed=False,
        )
        self._changes |= changes_of_pairs(output)

    def changes(self, before: pygit2.Tree, after: pygit2.Tree) -> Changes:
        """Return every path that differs, without looking for renames; compared once."""
        pair = f"{before.id} {after.id}"
        if pair not in self._changes:
            self._changes[pair] = changes_between(before, after)
        return self._changes[pair]

    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """Return the tree of a clean merge by git, which finds more renames than libgit2."""
        if git_version() < MERGE_TREE_VERSION:
            return None
        output = self.git("merge-tree", "--write-tree", ours, theirs)
        lines = output.split(b"\n", 1)
        return lines[0].decode("ascii", "replace") if lines[0] else None

    def git(
        self,
        *arguments: str,
        given: bytes | None = None,
        config: Mapping[str, str] | None = None,
        needed: bool = True,
    ) -> bytes:
        """Return the output of a git command, or nothing if it fails, as on conflicts.

        Args:
            arguments: the command and its arguments.
            given: for its stdin.
            config: settings for this process only.
            needed: a verdict may depend on it; see `failed`.
        """
        env = {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            # Before git 2.32 the personal configuration is only found by these.
            "HOME": str(self.path),
            "XDG_CONFIG_HOME": str(self.path),
        }
        try:
            output = asyncio.run(
                run_git(
                    arguments,
                    git_dir=self.path,
                    env=env,
                    input=given,
                    config=config,
                    check=False,
                    nice=True,
                    timeout=_SECONDS,
                )
            )
        except CtuiError:
            self.failed |= needed
            return b""
        if output.exit_code not in {0, 1}:
            self.failed |= needed
        return output.stdout if output.exit_code == 0 else b""


@contextmanager
def scratch_repository(repository: Repository, cache: Path) -> Iterator[Scratch]:
    """Make a scratch repository and remove it afterwards; only a killed process leaves one.

    Args:
        repository: whose objects are borrowed.
        cache: our own folder; what killed processes left in it is removed.

    Raises:
        Unavailable, Refused: the folder cannot be used.
    """
    path, held = _claim(private_folder(cache))
    try:
        lay_out(
            path,
            repository.common_dir,
            repository.object_directories(),
            config=_CONFIG,
            attributes=AS_STORED,
        )
        yield Scratch(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be used: {error.strerror}") from error
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


def _claim(cache: Path) -> tuple[Path, int]:
    """Make a folder, and return it with the descriptor that holds its lock."""
    lock = FileLock(cache / "scratch.lock")
    lock.acquire()
    with lock:
        _sweep(left_behind(cache))
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=cache))
        held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        lock_descriptor(held, wait=True)
    return path, held


def left_behind(cache: Path) -> list[Path]:
    """Return all scratch repositories, also those in use."""
    with suppress(OSError):
        return sorted(path for path in cache.iterdir() if path.name.startswith(_PREFIX))
    return []


def sweep(cache: Path) -> None:
    """Remove the scratch repositories whose process is gone."""
    _sweep(left_behind(cache))


def _sweep(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if lock_descriptor(descriptor):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)
