"""Commits that only a worktree's own metadata, or only its branch, still holds."""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from ctui.git.repository.repository import Repository
from ctui.small_file import read_small_file
from ctui.worktrees.identity import text_of

_OID = re.compile(r"[0-9a-f]{40}")
_LEFT = re.compile(rb"\tcheckout: moving from ([0-9a-f]{40}) to ")
"""Message in HEAD's reflog when a detached HEAD is left, of which git warns at that moment."""

_LOG_LIMIT = 1 << 22
_LEFT_LIMIT = 50
_REFS_LIMIT = 200
_BRIEF = 7
_HOLDERS = ("refs/heads/", "refs/remotes/", "refs/tags/")


class UnreachableCommits:
    """Reachability of commits in one repository, read once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._held: dict[tuple[str, str], bool] = {}

    def commits_of(self, metadata: Path, head: str, ref: str) -> list[tuple[str, str]]:
        """Return name and commit of what goes with a worktree although no branch has it.

        Args:
            metadata: its folder.
            head: the commit that it is on.
            ref: the full name of its branch; "" for a detached HEAD.
        """
        found = {f"ref {path.name}": text_of(path) for path in _own_refs(metadata)}
        found |= {f"commit {commit[:_BRIEF]}": commit for commit in _left(metadata)}
        return [
            (name, commit)
            for name, commit in found.items()
            if _OID.fullmatch(commit)
            and not self._contains(head, commit)
            and not self.elsewhere(commit, ref)
        ]

    def elsewhere(self, commit: str, ref: str) -> bool:
        """Return True if a branch or tag other than `ref` has this commit, and it exists."""
        known = self._held.get((commit, ref))
        if known is None:
            holders = [tip for name, tip in self._holders if name != ref]
            known = commit in holders or any(self._contains(tip, commit) for tip in holders)
            self._held[commit, ref] = known
        return known

    @cached_property
    def _holders(self) -> list[tuple[str, str]]:
        targets = [(target.ref, target.commit) for target in self._repository.targets()]
        others = [
            (f"{prefix}{name}", tip)
            for prefix in _HOLDERS
            for name, tip in self._repository.refs(prefix)
        ]
        return [*targets, *others]

    def _contains(self, tip: str, commit: str) -> bool:
        import pygit2

        if tip == commit:
            return True
        with suppress(KeyError, ValueError, pygit2.GitError):
            return bool(self._repository.git.descendant_of(tip, commit))
        return False


def _own_refs(metadata: Path) -> list[Path]:
    """Return the refs of one worktree alone (git-worktree(1), "REFS")."""
    if not os.path.isdir(f"{metadata}/refs/worktree"):  # noqa: PTH112 - as in `identity`
        return []
    found = [path for path in (metadata / "refs" / "worktree").rglob("*") if path.is_file()]
    return sorted(found)[:_REFS_LIMIT]


def _left(metadata: Path) -> list[str]:
    """Return the commits at which a detached HEAD was left, the last ones first."""
    found = [match.decode() for match in _LEFT.findall(_end_of(metadata / "logs" / "HEAD"))]
    return list(dict.fromkeys(reversed(found)))[:_LEFT_LIMIT]


def _end_of(log: Path) -> bytes:
    """Return the newest part of a reflog, or nothing if it is no file or cannot be read."""
    with suppress(OSError):
        try:
            return read_small_file(log, _LOG_LIMIT)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
            with log.open("rb") as file:
                file.seek(-_LOG_LIMIT, os.SEEK_END)
                return file.read(_LOG_LIMIT)
    return b""
