"""New files of commits that a repository does not have yet, found from one to the next."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.git.process.command import run_git

_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_SECONDS = 300
_REGULAR = (b"100644", b"100755")
_OUTSIDE = {b"", b".", b".."}


class Blob(NamedTuple):
    """Content of a file at its path."""

    path: bytes
    oid: bytes


class News(NamedTuple):
    """New commits, and what each has at a path that none of its parents has there."""

    blobs: Mapping[Blob, Collection[str]]
    boundary: list[str]
    """Known parents of the new commits."""


async def known_commits(common_dir: Path, base: str | None) -> list[str]:
    """Return the commits that a repository has a name for, and the base."""
    listed = await run_git(["for-each-ref", "--format=%(objectname)"], git_dir=common_dir)
    return sorted({*listed.stdout.decode().split(), *([base] if base else [])})


async def find_news(git_dir: Path, tips: Iterable[str], known: Iterable[str]) -> News:
    """Return what the tips reach and the known commits do not."""
    listed = await run_git(
        ["rev-list", "--boundary", "--ignore-missing", "--stdin"],
        git_dir=git_dir,
        input="".join([*(f"{tip}\n" for tip in tips), *(f"^{one}\n" for one in known)]).encode(),
        timeout=_SECONDS,
    )
    lines = listed.stdout.decode().split()
    commits = [line for line in lines if not line.startswith("-")]
    boundary = [line[1:] for line in lines if line.startswith("-")]
    if not commits:
        return News({}, boundary)
    return News(await new_blobs(git_dir, commits), boundary)


async def new_blobs(
    git_dir: Path, commits: Collection[str], paths: Iterable[bytes] = ()
) -> dict[Blob, set[str]]:
    """Return the files of commits that none of their parents has, with those commits."""
    # For a merge only what differs from every parent: the rest is in one of them.
    options = ["-c", "-r", "-z", "--root", "--raw", "--no-abbrev", "--no-renames"]
    output = await run_git(
        ["diff-tree", "--stdin", *options, "--", *map(os.fsdecode, paths)],
        git_dir=git_dir,
        env=_LITERAL,
        input="".join(f"{commit}\n" for commit in commits).encode(),
        timeout=_SECONDS,
    )
    blobs: dict[Blob, set[str]] = defaultdict(set)
    for commit, blob in _parsed(output.stdout):
        blobs[blob].add(commit)
    return blobs


def _parsed(output: bytes) -> Iterator[tuple[str, Blob]]:
    """Yield the new files of `git diff-tree --stdin -z`, with their commits.

    An entry is `:OLDMODE MODE OLD NEW STATUS`, of a merge with one colon, old mode and old object
    for each parent.
    """
    commit = ""
    fields = iter(output.split(b"\0"))
    for field in fields:
        if not field.startswith(b":"):
            commit = field.decode() or commit
            continue
        parents = len(field) - len(field.lstrip(b":"))
        path = next(fields, b"")
        facts = field.lstrip(b":").split(b" ")
        mode, oid = facts[parents], facts[2 * parents + 1]
        # A path that leaves the tree is no path; the fetch's fsck forbids its tree.
        if mode in _REGULAR and not _OUTSIDE & {*path.split(b"/")}:
            yield commit, Blob(path, oid)
