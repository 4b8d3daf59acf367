"""The branch that worktrees are judged against: which refs stand for it. Nothing is run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ctui.text import one_line

if TYPE_CHECKING:
    import pygit2

_HEADS = "refs/heads/"
_REMOTES = "refs/remotes/"


class TargetRefs(NamedTuple):
    """Refs of one branch: as others have it, and as it is here; "" where there is none."""

    remote: str
    local: str

    @property
    def present(self) -> list[str]:
        return [ref for ref in self if ref]


def short_ref(ref: str) -> str:
    """Return a target's name as a person calls it, safe to show."""
    return one_line(ref.removeprefix(_HEADS).removeprefix(_REMOTES), 60)


def upstream_of(git: pygit2.Repository, branch: str | None) -> str:
    """Return the ref of the remote branch that a local one follows, or ""."""
    with suppress(KeyError, ValueError, TypeError):
        name = git.branches.local[branch or ""].upstream_name
        if name.startswith(_REMOTES):
            return str(name)
    return ""


def remote_followed(git: pygit2.Repository, branch: str | None) -> str | None:
    """Return the remote that a local branch follows, if there is such a remote."""
    with suppress(KeyError):
        name = git.config[f"branch.{branch}.remote"]
        return name if name in git.remotes.names() else None
    return None


def default_refs(
    git: pygit2.Repository, name: str | None, remote: str, local_default: str | None
) -> TargetRefs:
    """Return the refs of the default branch.

    Args:
        git: the repository.
        name: of the default branch.
        remote: whose default branch counts.
        local_default: the local branch that is the default if no remote says one.
    """
    if name is None:
        return TargetRefs("", "")
    there = upstream_of(git, name) or f"{_REMOTES}{remote}/{name}"
    here = f"{_HEADS}{name}"
    if here not in git.references and there and upstream_of(git, local_default) == there:
        here = f"{_HEADS}{local_default}"
    return _present(git, there, here)


def named_refs(git: pygit2.Repository, name: str, remote: str) -> TargetRefs:
    """Return the refs of the branch that a person names; both are "" if there is none.

    Args:
        git: the repository.
        name: of a local branch, which stands for the one that it follows too; of a remote's
            branch (`upstream/main`), which stands for itself; or a full ref.
        remote: where a branch of the same name counts, if the local one follows none.
    """
    if name.startswith("refs/"):
        return _present(git, name, "")
    if name and f"{_HEADS}{name}" in git.references:
        there = upstream_of(git, name) or f"{_REMOTES}{remote}/{name}"
        return _present(git, there, f"{_HEADS}{name}")
    return _present(git, f"{_REMOTES}{name}", "")


def _present(git: pygit2.Repository, there: str, here: str) -> TargetRefs:
    return TargetRefs(
        there if there in git.references else "", here if here in git.references else ""
    )
