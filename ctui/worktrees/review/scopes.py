"""Scopes of a review: which two trees are compared, and where they come from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from ctui.errors import InvalidInput, Refused
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.git.repository.target import short_ref
from ctui.text import one_line
from ctui.worktrees.identity import checked_path, head_of
from ctui.worktrees.known import KnownWorktree
from ctui.worktrees.mending import what_to_do
from ctui.worktrees.review.comparison import EMPTY_TREE, Trees

Kind = Literal["branch", "uncommitted", "looked", "commit", "turn"]

MOST_COMMITS = 500
_SECONDS = 30
_WIDTH = 200
_SCOPE = re.compile(r"(branch|uncommitted|looked)|(commit):([0-9a-fA-F]{4,40})|(turn):(\d{1,6})")


class Scope(NamedTuple):
    """A choice of what is compared."""

    kind: Kind = "branch"
    value: str = ""
    """Of one commit its id, of one turn its number."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}" if self.value else self.kind


class Compared(NamedTuple):
    """Trees of a scope, in words too."""

    trees: Trees
    title: str
    """Sanitised, such as `all of ctui/fix against main`."""
    tip: str
    """Commit that the worktree is at."""
    left_out: int = 0
    """Number of paths that are in neither tree: too large, or not a file, such as a socket."""


class WorktreeTree(NamedTuple):
    """Tree of a worktree's files."""

    git_dir: Path
    """A git directory that has it, and the repository's objects."""
    tree: str
    left_out: int = 0
    """Number of paths that are not in it: too large, or not a file."""


class ListedCommit(NamedTuple):
    """A commit of a worktree's own; its texts are sanitised."""

    id: str
    time: int
    """Seconds since the epoch."""
    author: str
    subject: str


def parse_scope(text: str) -> Scope:
    """Return the scope that a person names.

    Raises:
        InvalidInput: there is no such scope.
    """
    match = _SCOPE.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{one_line(text, 60)!r} is nothing that can be reviewed",
            hint="branch, uncommitted, looked, commit:ID or turn:N",
        )
    if match[1]:
        return Scope(_KINDS[match[1]])
    return Scope("commit", match[3]) if match[2] else Scope("turn", match[5])


_KINDS: dict[str, Kind] = {"branch": "branch", "uncommitted": "uncommitted", "looked": "looked"}


class Files(Protocol):
    """Trees of a worktree that no commit has."""

    async def now(self) -> WorktreeTree:
        """Return the tree of its files as they are."""

    async def turn(self, number: int) -> Trees:
        """Return what a turn of its task began with, and its end."""


async def compared(
    repository: Repository, worktree: KnownWorktree, scope: Scope, files: Files, *, looked: str = ""
) -> Compared:
    """Return the trees of a scope. That of the branch ends with the files as they are.

    Args:
        repository: whose worktree it is.
        worktree: opened by its metadata.
        scope: what is wanted.
        files: of the worktree.
        looked: tree that the worktree had when somebody looked at it last; "" if nobody has.

    Raises:
        Refused: the worktree is not what was recorded, or there is nothing to compare with.
        NotFound: there is no such commit or turn.
        CtuiError: the files cannot be read.
    """
    tip = _tip(repository, worktree)
    name = one_line(worktree.branch or worktree.name, 60)
    if scope.kind == "commit":
        return await _one_commit(repository, scope.value, tip)
    if scope.kind == "turn":
        trees = await files.turn(int(scope.value))
        return Compared(trees, f"turn {scope.value} in {name}", tip)
    if scope.kind == "looked" and not looked:
        raise Refused(f"nobody has looked at {name} before", hint="look at all of the branch")
    now = await files.now()
    if scope.kind == "looked" and not await _has(now.git_dir, looked):
        raise Refused(
            f"what {name} had when you last looked is not kept any more",
            hint="look at all of the branch",
        )
    target = short_ref(repository.target().ref)
    old, title = {
        "branch": (await beginning(repository, worktree, tip), f"all of {name} against {target}"),
        "uncommitted": (tip, f"what {name} has not committed"),
        "looked": (looked, f"{name} since you last looked"),
    }[scope.kind]
    return Compared(Trees(now.git_dir, old, now.tree), title, tip, now.left_out)


async def beginning(repository: Repository, worktree: KnownWorktree, tip: str) -> str:
    """Return the commit where a worktree left the target; without one where it began."""
    target = repository.target().commit
    found = await run_git(
        ["merge-base", tip, target], git_dir=repository.common_dir, timeout=_SECONDS, check=False
    )
    base = worktree.record.base if worktree.record is not None else None
    return found.stdout.decode().strip() or base or EMPTY_TREE


async def commits(repository: Repository, worktree: KnownWorktree) -> list[ListedCommit]:
    """Return the commits since the beginning, newest first, at most 500."""
    tip = _tip(repository, worktree)
    begin = await beginning(repository, worktree, tip)
    since = [] if begin == EMPTY_TREE else [f"^{begin}"]
    output = await run_git(
        ["log", "-z", f"-n{MOST_COMMITS}", "--format=%H%n%ct%n%an%n%s", tip, *since, "--"],
        git_dir=repository.common_dir,
        timeout=_SECONDS,
    )
    return [_listed(record) for record in output.stdout.split(b"\0") if record.count(b"\n") >= 3]


def _listed(record: bytes) -> ListedCommit:
    commit, time, author, subject = record.decode("utf-8", "replace").split("\n", 3)
    seconds = int(time) if time.isdigit() else 0
    return ListedCommit(commit, seconds, one_line(author), one_line(subject, _WIDTH))


async def _has(git_dir: Path, tree: str) -> bool:
    """Return True if a git directory has a tree: old ones go, and each task has its own."""
    found = await run_git(
        ["cat-file", "-e", f"{tree}^{{tree}}"], git_dir=git_dir, timeout=_SECONDS, check=False
    )
    return found.exit_code == 0


async def _one_commit(repository: Repository, name: str, tip: str) -> Compared:
    commit = repository.resolve(name)
    found = await run_git(
        ["log", "-n1", "--format=%P%n%an%n%s", commit, "--"],
        git_dir=repository.common_dir,
        timeout=_SECONDS,
    )
    parents, author, subject = found.stdout.decode("utf-8", "replace").split("\n", 2)
    old = parents.split(" ")[0] or EMPTY_TREE
    said = f"{commit[:10]} {one_line(subject, 100)}  ({one_line(author, 40)})"
    return Compared(Trees(repository.common_dir, old, commit), said, tip)


def _tip(repository: Repository, worktree: KnownWorktree) -> str:
    """Return the commit of a worktree. Raises Refused if it is not what was recorded."""
    path, problem = checked_path(repository, worktree.metadata, worktree.record)
    if problem is not None:
        hint = what_to_do(problem, path, worktree.metadata)
        raise Refused(f"{one_line(worktree.name)} is {problem}", hint=hint)
    tip = head_of(repository, worktree.metadata)
    if tip is None:
        name = one_line(worktree.name)
        raise Refused(f"the HEAD of {name} names no commit", hint="git switch to a branch")
    return tip
