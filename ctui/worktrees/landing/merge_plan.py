"""Commits of a landing, computed in a scratch repository before anything is moved.

The scratch repository borrows the objects and has nothing else: no attributes, merge drivers,
hooks or settings of the repository decide how its files are merged.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import Conflict, ExternalFailure, Refused, Unavailable
from ctui.git.process.command import run_git
from ctui.git.process.version import git_version
from ctui.git.repository.opening import open_trusted
from ctui.git.repository.repository import Repository
from ctui.git.repository.shallow import copy_shallow, shallow_commits
from ctui.worktrees.landing.commit_diff import named, shown
from ctui.worktrees.landing.commit_objects import (
    Person,
    commit_data,
    make_commit,
    read_original,
    write_data,
)

if TYPE_CHECKING:
    import pygit2

_SECONDS = 300
_MERGES_WITHOUT_FILES = (2, 38)
"""First version of git with `merge-tree --write-tree`."""


class ConflictedFile(NamedTuple):
    """Path that git cannot merge."""

    path: str
    kind: str
    """Git's stable word: contents, modify/delete, rename/rename, … (git-merge-tree(1))."""


class MergeConflict(Conflict):
    """Conflict between the worktree's commits and the target's; nothing was moved.

    Attributes:
        files: the paths, and how each conflicts.
        for_task: a message that lets the worktree's task resolve it.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        files: Sequence[ConflictedFile] = (),
        for_task: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.files = tuple(files)
        self.for_task = for_task


class MergeRepository:
    """Bare repository of our own that borrows another's objects."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir

    @cached_property
    def git(self) -> pygit2.Repository:
        return open_trusted(self.git_dir)

    def tree_of(self, commit: str) -> str:
        import pygit2

        return str(self.git[commit].peel(pygit2.Tree).id)

    async def merge(self, ours: str, theirs: str) -> tuple[str, tuple[ConflictedFile, ...]]:
        """Return the tree of a merge of two commits, and its conflicts.

        Raises:
            ExternalFailure: they cannot be merged at all.
        """
        command = ["merge-tree", "--write-tree", "-z", ours, theirs]
        output = await run_git(
            command,
            git_dir=self.git_dir,
            env={"GIT_ATTR_NOSYSTEM": "1"},
            config={"core.attributesFile": "/dev/null"},
            timeout=_SECONDS,
            check=False,
        )
        if output.exit_code not in {0, 1}:
            raise ExternalFailure(
                "git cannot merge these commits",
                argv=command,
                exit_code=output.exit_code,
                stderr=output.stderr,
            )
        tree, _, rest = output.stdout.partition(b"\0")
        files = _conflicts(rest) if output.exit_code else ()
        if output.exit_code and not files:
            raise ExternalFailure("git cannot merge these commits", argv=command, exit_code=1)
        return tree.decode().strip(), files

    async def replay(
        self, commits: Sequence[tuple[str, str]], onto: str, who: Person
    ) -> tuple[str, int]:
        """Make commits again on top of another, as `git rebase` does.

        A commit whose change is there already is left out; one that was empty before is kept.

        Args:
            commits: pairs of a commit and its only parent, oldest first.
            onto: where they go.
            who: their committer; authors and messages stay.

        Returns:
            the last new commit, and how many there are.

        Raises:
            MergeConflict: without `for_task`.
        """
        current, made = onto, 0
        for commit, parent in commits:
            if parent == current:
                current, made = commit, made + 1
                continue
            tree = await self._replayed_tree(commit, parent, current, who)
            empty = self.tree_of(commit) == self.tree_of(parent)
            if tree == self.tree_of(current) and not empty:
                continue
            original = read_original(self.git, commit)
            current = await make_commit(
                self.git,
                who,
                tree=tree,
                parents=[current],
                author=original.author,
                message=original.message,
                encoding=original.encoding,
            )
            made += 1
        return current, made

    async def _replayed_tree(self, commit: str, parent: str, onto: str, who: Person) -> str:
        # A commit with the tree of `onto` beside `commit` has exactly `parent` as its merge base.
        # (`merge-tree --merge-base` would say so, but needs git 2.40.)
        data = commit_data(
            tree=self.tree_of(onto),
            parents=[parent],
            author=who.author,
            committer=who.committer,
            message=b"beside\n",
        )
        beside = write_data(self.git, data)
        tree, files = await self.merge(beside, commit)
        if files:
            subject = shown(read_original(self.git, commit).message.split(b"\n", 1)[0])
            raise MergeConflict(f"replaying {commit[:9]} ({subject}) conflicts", files=files)
        return tree

    async def hand_over(self, repository: Repository, new: str, known: Sequence[str]) -> None:
        """Copy a commit and what it needs into the repository, without a ref.

        Args:
            repository: whose objects are borrowed.
            new: a commit of this scratch repository.
            known: commits that the repository has.
        """
        wanted = "\n".join([new, *(f"^{commit}" for commit in known), ""])
        pack = await run_git(
            ["pack-objects", "--revs", "--stdout", "--quiet"],
            git_dir=self.git_dir,
            input=wanted.encode(),
            timeout=_SECONDS,
        )
        await run_git(
            ["unpack-objects", "-q"],
            git_dir=repository.common_dir,
            input=pack.stdout,
            timeout=_SECONDS,
        )


@contextmanager
def merge_repository(repository: Repository) -> Iterator[MergeRepository]:
    """Make a scratch repository, and remove it afterwards.

    Raises:
        Unavailable: git is too old to merge without files, or there is no room.
    """
    if git_version() < _MERGES_WITHOUT_FILES:
        raise Unavailable(
            "this git cannot merge without a checkout", hint="install git 2.38 or newer"
        )
    try:
        folder = tempfile.TemporaryDirectory(prefix="ctui-", ignore_cleanup_errors=True)
    except OSError as error:
        raise Unavailable(f"no scratch repository can be made: {error.strerror}") from error
    with folder as path:
        git_dir = Path(path)
        for name in ("objects/info", "objects/pack", "refs"):
            (git_dir / name).mkdir(parents=True)
        alternates = "".join(f"{path}\n" for path in repository.object_directories())
        (git_dir / "objects/info/alternates").write_bytes(os.fsencode(alternates))
        (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
        (git_dir / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        copy_shallow(repository.common_dir, git_dir)
        yield MergeRepository(git_dir)


def no_common_history(repository: Repository) -> Refused:
    """Return what is to be said of two branches whose histories do not meet here."""
    hint = "merge by hand"
    if shallow_commits(repository.common_dir):
        hint = "the clone is shallow, they may meet further back: git fetch --unshallow"
    return Refused("the branch and its target have no common history", hint=hint)


async def own_commits(
    repository: Repository, target: str, tip: str, *, linear: bool
) -> list[tuple[str, str]]:
    """Return pairs of a commit that only `tip` has and its first parent, oldest first.

    Raises:
        Refused: they have no history in common, or there are merges and `linear` is wanted.
    """
    base = await run_git(["merge-base", target, tip], git_dir=repository.common_dir, check=False)
    if not base.stdout.strip():
        raise no_common_history(repository)
    output = await run_git(
        ["rev-list", "--reverse", "--topo-order", "--parents", tip, f"^{target}"],
        git_dir=repository.common_dir,
        timeout=_SECONDS,
    )
    lines = [line.split() for line in output.stdout.decode().splitlines()]
    if linear and any(len(line) != 2 for line in lines):
        raise Refused(
            "there are merges in the branch, which cannot be replayed",
            hint="land it by merge or squash",
        )
    return [(commit, parents[0] if parents else "") for commit, *parents in lines]


def explain(conflict: MergeConflict, target: str, commit: str, *, hint: str) -> MergeConflict:
    """Return the conflict with a message for the person, and one for the task that can resolve it.

    Args:
        conflict: whose message says what was tried.
        target: the target's short name.
        commit: where the target is.
        hint: for the person.
    """
    paths = named([file.path.encode() for file in conflict.files])
    first = ", ".join(f"{file.path} ({file.kind})" for file in conflict.files[:5])
    more = f" and {len(conflict.files) - 5} more" if len(conflict.files) > 5 else ""
    return MergeConflict(
        f"{conflict.message}: {first}{more}",
        hint=hint,
        files=conflict.files,
        for_task=(
            f"{target} moved on to {commit}, and your branch conflicts with it in: {paths}. "
            f"Run `git merge {commit}`, resolve the conflicts, run the tests, and commit."
        ),
    )


def _conflicts(rest: bytes) -> tuple[ConflictedFile, ...]:
    """Return paths and kinds from `merge-tree -z` (git-merge-tree(1), "OUTPUT")."""
    fields = iter(rest.split(b"\0"))
    entries = list(iter(lambda: next(fields, b""), b""))
    found: dict[bytes, str] = {}
    for count in fields:
        if not count.isdigit():
            break
        paths = [next(fields, b"") for _ in range(int(count))]
        kind, _ = next(fields, b"").decode("utf-8", "replace"), next(fields, b"")
        if kind.startswith("CONFLICT (") and paths:
            found.setdefault(paths[0], kind.removeprefix("CONFLICT (").rstrip(")"))
    for entry in entries:
        found.setdefault(entry.partition(b"\t")[2], "contents")
    return tuple(ConflictedFile(shown(path), kind) for path, kind in sorted(found.items()))
