"""Bytes as they may be stored: what a task commits where a filter would have transformed it.

A task's sandbox has none of the person's filters. So a new blob at a path that has one is not what
the repository stores there, whatever the task's own `.gitattributes` say, and its ref stays out.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Refused
from ctui.git.attributes import LFS, Transformation, attributes_at, portions
from ctui.git.command import run_git
from ctui.git.lfs import POINTER_LIMIT, pointer_of
from ctui.text import one_line

_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_SECONDS = 300
_SOURCES = 20
"""Commits whose attributes are looked at: the base, and known parents of what is new."""
_TEXT_LIMIT = 64 << 20
_REGULAR = (b"100644", b"100755")
_OUTSIDE = {b"", b".", b".."}
_TAKE_BACK = "let the task take it back, or let a new one run the filter (git.filters)"


class _Blob(NamedTuple):
    path: bytes
    oid: bytes


class _Suspect(NamedTuple):
    blob: _Blob
    rule: Transformation


class _News(NamedTuple):
    """New commits, and what each has at a path that none of its parents has there."""

    blobs: Mapping[_Blob, Collection[str]]
    boundary: list[str]


async def refuse_untransformed(
    git_dir: Path,
    common_dir: Path,
    tips: Iterable[str],
    base: str | None,
    allowed: Collection[str] = (),
) -> Mapping[bytes, bytes]:
    """Refuse commits that have bytes which the repository stores transformed.

    Every commit counts that the repository does not have yet, because a push sends them all.

    Args:
        git_dir: where the new commits are; borrows the repository's objects.
        common_dir: the repository.
        tips: the newest of the commits.
        base: the commit that the task began with, whose attributes count.
        allowed: filters that run where the commits were made.

    Returns:
        the new blobs, each with a path of Git LFS that it is at, or b"".

    Raises:
        Refused: the message names one path.
        CtuiError: it cannot be found out.
    """
    news = await _news(git_dir, tips, await _known(common_dir, base))
    rules: dict[bytes, set[Transformation]] = defaultdict(set)
    sources = [*([base] if base else []), *news.boundary]
    paths = {blob.path for blob in news.blobs}
    for source in list(dict.fromkeys(sources))[:_SOURCES]:
        for path, rule in (await attributes_at(common_dir, source, paths)).items():
            rules[path].add(rule)
    suspects = {
        _Suspect(blob, rule)
        for blob in news.blobs
        for rule in rules[blob.path]
        if rule.filter not in allowed
    }
    wrong = await _wrong(git_dir, common_dir, base, suspects) if suspects else set()
    if wrong:
        first = min(wrong)
        raise Refused(_reason(first, min(news.blobs[first.blob])))
    return {
        blob.oid: blob.path if _is_lfs(rules[blob.path]) else b""
        for blob in sorted(news.blobs, key=lambda blob: _is_lfs(rules[blob.path]))
    }


def _is_lfs(rules: Iterable[Transformation]) -> bool:
    return any(rule.filter == LFS for rule in rules)


async def _known(common_dir: Path, base: str | None) -> bytes:
    listed = await run_git(["for-each-ref", "--format=%(objectname)"], git_dir=common_dir)
    lines = set(listed.stdout.split()) | ({base.encode()} if base else set())
    return b"".join(b"^%s\n" % line for line in sorted(lines))


async def _news(git_dir: Path, tips: Iterable[str], known: bytes) -> _News:
    listed = await run_git(
        ["rev-list", "--boundary", "--ignore-missing", "--stdin"],
        git_dir=git_dir,
        input=b"".join(f"{tip}\n".encode() for tip in sorted(tips)) + known,
        timeout=_SECONDS,
    )
    lines = listed.stdout.decode().split()
    commits = [line for line in lines if not line.startswith("-")]
    boundary = [line[1:] for line in lines if line.startswith("-")]
    if not commits:
        return _News({}, boundary)
    return _News(await _new_blobs(git_dir, commits), boundary)


async def _new_blobs(
    git_dir: Path, commits: Collection[str], paths: Iterable[bytes] = ()
) -> dict[_Blob, set[str]]:
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
    blobs: dict[_Blob, set[str]] = defaultdict(set)
    for commit, blob in _parsed(output.stdout):
        blobs[blob].add(commit)
    return blobs


def _parsed(output: bytes) -> Iterator[tuple[str, _Blob]]:
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
            yield commit, _Blob(path, oid)


async def _wrong(
    git_dir: Path, common_dir: Path, base: str | None, suspects: Collection[_Suspect]
) -> set[_Suspect]:
    sizes = await _sizes(git_dir, {suspect.blob.oid for suspect in suspects})
    wrong: set[_Suspect] = set()
    unknown: set[_Suspect] = set()
    for suspect in suspects:
        (_, oid), rule = suspect
        size = sizes.get(oid, _TEXT_LIMIT + 1)
        if size == 0:
            continue  # nothing is nothing, transformed or not
        if rule.filter == LFS:
            if size > POINTER_LIMIT or pointer_of(await _content(git_dir, oid)) is None:
                wrong.add(suspect)
        elif rule.filter:
            unknown.add(suspect)
        elif size > _TEXT_LIMIT or not _is_utf8(await _content(git_dir, oid)):
            wrong.add(suspect)
    return wrong | (unknown - await _stored(common_dir, base, unknown) if unknown else set())


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


async def _sizes(git_dir: Path, oids: Iterable[bytes]) -> dict[bytes, int]:
    output = await run_git(
        ["cat-file", "--batch-check"], git_dir=git_dir, input=b"".join(o + b"\n" for o in oids)
    )
    lines = (line.split(b" ") for line in output.stdout.splitlines())
    return {line[0]: int(line[2]) for line in lines if len(line) == 3 and line[2].isdigit()}


async def _content(git_dir: Path, oid: bytes) -> bytes:
    output = await run_git(["cat-file", "blob", oid.decode()], git_dir=git_dir)
    return output.stdout


async def _stored(
    common_dir: Path, base: str | None, suspects: Collection[_Suspect]
) -> set[_Suspect]:
    """Return those that the repository stored through the filter before.

    At their path in its history, or anywhere in the base. What tasks brought does not count.
    """
    found: dict[_Blob, set[str]] = {}
    for some in portions(sorted({blob.path for blob, _ in suspects})):
        listed = await run_git(
            ["rev-list", "--full-history", "--exclude=refs/ctui/*", "--all"]
            + ([base] if base else [])
            + ["--", *map(os.fsdecode, some)],
            git_dir=common_dir,
            env=_LITERAL,
            timeout=_SECONDS,
        )
        found |= await _new_blobs(common_dir, listed.stdout.decode().split(), some)
    stored = {
        _Suspect(blob, rule)
        for blob, rule in suspects
        for commit in sorted(found.get(blob, ()))[:_SOURCES]
        if (await attributes_at(common_dir, commit, [blob.path])).get(blob.path) == rule
    }
    if base is None:
        return stored
    moved = await _at_base(common_dir, base, {blob.oid for blob, _ in suspects})
    return stored | {one for one in suspects if (one.blob.oid, one.rule) in moved}


async def _at_base(
    common_dir: Path, base: str, oids: Collection[bytes]
) -> set[tuple[bytes, Transformation]]:
    """Return object and rule of every file of the base that has one of these objects."""
    listed = await run_git(["ls-tree", "-r", "-z", "--full-tree", base], git_dir=common_dir)
    places: dict[bytes, bytes] = {}
    for line in listed.stdout.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        if path and (oid := facts.split(b" ")[2]) in oids:
            places[path] = oid
    rules = await attributes_at(common_dir, base, places)
    return {(places[path], rule) for path, rule in rules.items()}


def _reason(suspect: _Suspect, commit: str) -> str:
    blob, rule = suspect
    path = one_line(blob.path.decode("utf-8", "replace"), 80)
    if rule.filter == LFS:
        return f"{path} of {commit[:9]} is no Git LFS pointer: let the task take it back"
    if rule.filter:
        name = one_line(rule.filter, 40)
        return f"{path} of {commit[:9]} did not go through the filter {name}: {_TAKE_BACK}"
    name = one_line(rule.encoding, 40)
    return f"{path} of {commit[:9]} is stored as {name}, not as UTF-8: let the task take it back"
