"""Branches that are there already, here or at a remote, to be checked out in a worktree."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import pygit2

from ctui.errors import Conflict, CtuiError
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.landing.checkouts import checkout_of

_HEADS = "refs/heads/"
_REMOTES = "refs/remotes/"


class ExistingBranch(NamedTuple):
    """Branch to check out; one that is only at a remote gets a local one that follows it."""

    name: str
    """The local branch's short name."""
    commit: str
    """Its commit, or that where it begins."""
    remote: str = ""
    """Remote that the new local branch follows; "" if the branch is here."""
    merge: str = ""
    """Full name of what it follows there."""
    foreign: bool = False
    """True if its files come from somebody's fork: no filter of the person's sees them."""

    @property
    def local(self) -> bool:
        return not self.remote


def existing_branch(repository: Repository, name: str) -> ExistingBranch | None:
    """Return the branch of this name, as `git worktree add` guesses it, or None.

    Args:
        repository: whose branches.
        name: of a local branch, of a branch at a remote, or of both as `origin/topic`.

    Raises:
        Conflict: several remotes have it, and no setting says which one counts.
    """
    references = repository.git.references
    if name and f"{_HEADS}{name}" in references:
        return ExistingBranch(name, repository.resolve(f"{_HEADS}{name}"))
    remotes = [remote for remote in repository.git.remotes.names() if remote is not None]
    for remote in remotes:
        short = name.removeprefix(f"{remote}/")
        if short not in {name, "", "HEAD"} and f"{_REMOTES}{name}" in references:
            return _at_remote(repository, remote, short)
    having = [remote for remote in remotes if f"{_REMOTES}{remote}/{name}" in references]
    if name in {"", "HEAD"} or not having:
        return None
    config = repository.git.config
    if len(having) > 1 and "checkout.defaultRemote" in config:
        having = [r for r in having if r == config["checkout.defaultRemote"]] or having
    if len(having) > 1:
        raise Conflict(
            f"several remotes have a branch {one_line(name)}",
            hint="name one of " + ", ".join(one_line(f"{remote}/{name}") for remote in having),
        )
    return _at_remote(repository, having[0], name)


def _at_remote(repository: Repository, remote: str, short: str) -> ExistingBranch:
    if f"{_HEADS}{short}" in repository.git.references:
        return ExistingBranch(short, repository.resolve(f"{_HEADS}{short}"))
    commit = repository.resolve(f"{_REMOTES}{remote}/{short}")
    return ExistingBranch(short, commit, remote, f"{_HEADS}{short}")


def began_at(repository: Repository, branch: str | None) -> str | None:
    """Return the commit where a request's branch left the target; None for any other branch.

    Its own files are a stranger's: what a task trusts is the target's.
    """
    with suppress(KeyError, ValueError, pygit2.GitError, CtuiError):
        followed = repository.git.config[f"branch.{branch}.merge"] or ""
        if followed.startswith(("refs/pull/", "refs/merge-requests/")):
            here, target = repository.resolve(f"{_HEADS}{branch}"), repository.target().commit
            return str(repository.git.merge_base(here, target) or target)
    return None


async def follow(repository: Repository, branch: ExistingBranch) -> None:
    """Let a new local branch follow the one at the remote, as `git branch --track` does."""
    for key, value in (("remote", branch.remote), ("merge", branch.merge)):
        if value:
            await run_git(
                ["config", "--", f"branch.{branch.name}.{key}", value],
                git_dir=repository.common_dir,
            )


def refuse_checked_out(repository: Repository, branch: ExistingBranch) -> None:
    """Raise Conflict with the place where a branch is checked out, if there is one.

    Two worktrees cannot have one branch: each would move it under the other's files.
    """
    if branch.local and (found := checkout_of(repository, f"{_HEADS}{branch.name}")) is not None:
        name = one_line(branch.name)
        raise Conflict(
            f"the branch {name} is checked out in {one_line(str(found.work_tree), 300)}",
            hint="work there, or make a new branch: --new",
        )
