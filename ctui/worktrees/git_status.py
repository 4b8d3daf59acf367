"""The result of `git status` for one worktree, obtained without running anything of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.errors import CtuiError
from ctui.git.process.command import GitOutput, environment_of_many, run_git, status_arguments
from ctui.worktrees.hidden_changes import hidden_changes, is_plain, is_split
from ctui.worktrees.model import Changes, Upstream

if TYPE_CHECKING:
    from ctui.worktrees.submodule_status import InSubmodules

_SECONDS = 20.0
"""Seconds; a task can make its worktree slow to read, and then only its own status is unknown."""

_GITLINK = (0o160000).to_bytes(4, "big")


class GitStatus(msgspec.Struct, frozen=True):
    """Files of a worktree, compared with its index and its HEAD."""

    branch: str | None = None
    head: str | None = None
    upstream: Upstream = Upstream()
    changes: Changes = Changes()
    unchecked: bool = False
    """True if it has a submodule in which unsaved work cannot be looked for."""
    digest: bytes = b""
    """Digest of everything that git said; see `digest_of`."""


class ManyStatuses:
    """Facts that the statuses of many worktrees of a repository have in common."""

    def __init__(self, blanked: Sequence[str] | None, at_once: int) -> None:
        """Begin with none.

        Args:
            blanked: the repository's `filter_settings`; None if worktrees have their own.
            at_once: number of git processes.
        """
        self.blanked = blanked
        self._turn = asyncio.Semaphore(at_once)
        # Threads only cost where as many statuses as processors run at a time.
        self._config = {"core.preloadIndex": "false"}
        self._environ = None if blanked is None else environment_of_many(blanked, self._config)

    async def run(self, ask: Callable[..., Awaitable[GitOutput]]) -> GitOutput:
        """Run one of them in its turn."""
        async with self._turn:
            return await ask(blanked=self.blanked, config=self._config, environ=self._environ)


async def git_status(metadata: Path, path: Path, many: ManyStatuses | None = None) -> GitStatus:
    """Run `git status` with low priority and a time limit.

    Args:
        metadata: its folder in the repository, which git believes.
        path: its files.
        many: those that are asked for together; None where it is alone.

    Raises:
        CtuiError: git failed, or took longer than 20 s.
    """
    ask = partial(
        run_git,
        status_arguments(),
        git_dir=metadata,
        work_tree=path,
        nice=True,
        timeout=_SECONDS,
    )
    output = await (ask() if many is None else many.run(ask))
    look = msgspec.structs.replace(parse_status(output.stdout), digest=digest_of(output.stdout))
    try:
        index = (metadata / "index").read_bytes()
    except OSError:
        return look
    modified, unchecked = look.changes.modified, False
    if differing := _modified(output.stdout):
        from ctui.git.stored.lfs_objects import unchanged_files

        modified -= len(await unchanged_files(metadata, path, differing))
    plain = is_plain(index)
    if not plain:
        modified += await hidden_changes(metadata, path, index, many.blanked if many else None)
    if (metadata / "modules").exists() or (not plain and _may_name_submodules(metadata, index)):
        inside = await _submodules(metadata, path)
        modified, unchecked = modified + inside.changed, inside.unchecked
    changes = msgspec.structs.replace(look.changes, modified=modified)
    return msgspec.structs.replace(look, changes=changes, unchecked=unchecked)


def _may_name_submodules(metadata: Path, index: bytes) -> bool:
    """Return False if an index names no submodule; every entry has its mode in four bytes."""
    return _GITLINK in index or is_split(metadata)


async def _submodules(metadata: Path, path: Path) -> InSubmodules:
    """Look into the submodules that the index names, and into those that it named once."""
    from ctui.worktrees.submodule_status import InSubmodules, in_submodules

    try:
        output = await run_git(["ls-files", "--stage", "-t", "-z"], git_dir=metadata, nice=True)
        # A tag, mode, commit and stage, and a path; what a sparse checkout leaves out is none.
        entries = (entry.partition(b"\t") for entry in output.stdout.split(b"\0"))
        gitlinks = [
            (facts.split()[2].decode(), name)
            for facts, _, name in entries
            if facts.startswith(b"H 160000 ")
        ]
        return await in_submodules(metadata, path, gitlinks, _look_inside)
    except CtuiError:
        return InSubmodules(unchecked=True)


async def _look_inside(git_dir: Path, path: Path) -> tuple[str | None, Changes, bool]:
    look = await git_status(git_dir, path)
    return look.head, look.changes, look.unchecked


def _modified(output: bytes) -> list[bytes]:
    """Return the paths whose files differ from the index and are there."""
    return [
        field.split(b" ", 8)[8]
        for field in output.split(b"\0")
        if field[:2] == b"1 " and field[3:4] == b"M"
    ]


def digest_of(output: bytes) -> bytes:
    """Return a digest of a status: of files and HEAD, without the upstream, which may move."""
    fields = output.split(b"\0")
    kept = b"\0".join(field for field in fields if not field.startswith(b"# branch.ab "))
    return hashlib.sha256(kept).digest()


def parse_status(output: bytes) -> GitStatus:
    """Parse porcelain version 2 with NUL (git-status(1))."""
    headers: dict[str, str] = {}
    staged = modified = untracked = conflicted = 0
    fields = iter(output.decode("utf-8", "replace").split("\0"))
    for field in fields:
        kind, _, rest = field.partition(" ")
        match kind:
            case "#":
                key, _, headers[key] = rest.partition(" ")
            case "1" | "2":
                staged += rest[0] != "."
                modified += rest[1] != "."
                if kind == "2":
                    next(fields, "")  # a rename's old path
            case "u":
                conflicted += 1
            case "?":
                untracked += 1
    head, branch = headers.get("branch.oid"), headers.get("branch.head")
    return GitStatus(
        None if branch == "(detached)" else branch,
        None if head == "(initial)" else head,
        _upstream(headers.get("branch.upstream"), headers.get("branch.ab")),
        Changes(staged, modified, untracked, conflicted),
    )


def _upstream(name: str | None, numbers: str | None) -> Upstream:
    if name is None:
        return Upstream()
    if numbers is None:
        return Upstream(name, "gone")
    ahead, behind = (abs(int(number)) for number in numbers.split())
    return Upstream(name, "present", ahead, behind)
