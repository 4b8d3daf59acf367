"""Bytes as they may be stored: what a task commits where a filter would have transformed it.

A task's sandbox has none of the person's filters. So a new blob at a path that has one is not what
the repository stores there, whatever the task's own `.gitattributes` say, and its ref stays out.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Refused
from ctui.git.process.command import run_git
from ctui.git.stored.attributes import LFS, Transformation, attributes_at, portions
from ctui.git.stored.lfs import POINTER_LIMIT, pointer_of
from ctui.git.stored.new_blobs import Blob, News, find_news, known_commits, new_blobs
from ctui.text import one_line

_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_SECONDS = 300
_SOURCES = 20
"""Commits whose attributes are looked at: the base, and known parents of what is new."""
_TEXT_LIMIT = 64 << 20
_GIT_CRYPT = b"\0GITCRYPT\0"
_TAKE_BACK = "let the task take it back"
_OR_NAME = ", or let a new one run the filter (git.filters)"


class _Suspect(NamedTuple):
    blob: Blob
    rule: Transformation


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
        base: the commit that the task began with, whose attributes count; None for a branch
            without a commit, where those of all branches do.
        allowed: filters that run where the commits were made.

    Returns:
        the new blobs, each with a path of Git LFS that it is at, or b"".

    Raises:
        Refused: the message names one path.
        CtuiError: it cannot be found out.
    """
    news = await find_news(git_dir, tips, await known_commits(common_dir, base))
    began = [base] if base else await _branch_tips(common_dir)
    rules = await _rules(common_dir, [*began, *news.boundary], news.blobs)
    suspects = {
        _Suspect(blob, rule)
        for blob in news.blobs
        for rule in rules[blob.path]
        if rule.filter not in allowed
    }
    wrong, unknown = await _looked_at(git_dir, suspects)
    if unknown:
        wrong |= unknown - await _stored(common_dir, base, unknown)
    named = any(suspect.rule.filter not in {"", LFS} for suspect in wrong)
    _refuse(wrong, news, f"{_TAKE_BACK}{_OR_NAME}" if named else _TAKE_BACK)
    return {
        blob.oid: blob.path if _is_lfs(rules[blob.path]) else b""
        for blob in sorted(news.blobs, key=lambda blob: _is_lfs(rules[blob.path]))
    }


async def refuse_raw(git_dir: Path, tip: str, known: Iterable[str], hint: str) -> None:
    """Refuse commits of anybody that have bytes of which can be seen that they are raw.

    That is so for Git LFS, git-crypt and encodings; of other filters nobody knows it.

    Args:
        git_dir: of the repository.
        tip: the newest of the commits.
        known: commits that need no look, such as those that a remote has.
        hint: what to do about it.

    Raises:
        Refused: the message names one path.
    """
    news = await find_news(git_dir, [tip], known)
    rules = await _rules(git_dir, news.boundary, news.blobs)
    suspects = {_Suspect(blob, rule) for blob in news.blobs for rule in rules[blob.path]}
    wrong, unknown = await _looked_at(git_dir, suspects)
    for suspect in unknown:
        if suspect.rule.filter.startswith("git-crypt"):
            content = await _content(git_dir, suspect.blob.oid)
            if not content.startswith(_GIT_CRYPT):
                wrong.add(suspect)
    _refuse(wrong, news, hint)


async def refuse_older(
    git_dir: Path, target: str, tip: str, files: Iterable[Blob], hint: str
) -> None:
    """Refuse files that the target stores transformed, and that were committed before it did.

    A merge brings the attributes of one side and the files of the other.

    Args:
        git_dir: of the repository.
        target: the commit whose attributes count.
        tip: the newest of the commits that are to come into it.
        files: what would be new there.
        hint: what to do about it.

    Raises:
        Refused: the message names one path.
    """
    wanted = {blob.path: blob for blob in files}
    rules = await attributes_at(git_dir, target, wanted)
    if not rules:
        return
    news = await find_news(git_dir, [tip], [target])
    paths_of: dict[str, set[bytes]] = defaultdict(set)
    for path in rules:
        for commit in news.blobs.get(wanted[path], ()):
            paths_of[commit].add(path)
    suspects: set[_Suspect] = set()
    for commit, paths in paths_of.items():
        then = await attributes_at(git_dir, commit, paths)
        suspects |= {
            _Suspect(wanted[path], rules[path]) for path in paths if then.get(path) != rules[path]
        }
    wrong, unknown = await _looked_at(git_dir, suspects)
    _refuse(wrong | unknown, news, hint)


def _refuse(wrong: Collection[_Suspect], news: News, hint: str) -> None:
    if wrong:
        first = min(wrong)
        raise Refused(f"{_reason(first, min(news.blobs[first.blob]))}: {hint}")


async def _rules(
    git_dir: Path, commits: Iterable[str], blobs: Iterable[Blob]
) -> Mapping[bytes, set[Transformation]]:
    """Return how paths are transformed by any of several commits."""
    rules: dict[bytes, set[Transformation]] = defaultdict(set)
    paths = {blob.path for blob in blobs}
    for commit in list(dict.fromkeys(commits))[:_SOURCES]:
        for path, rule in (await attributes_at(git_dir, commit, paths)).items():
            rules[path].add(rule)
    return rules


async def _branch_tips(common_dir: Path) -> list[str]:
    """Return the commits of the branches that moved last."""
    listed = await run_git(
        ["for-each-ref", "--sort=-committerdate", "--format=%(objectname)", "refs/heads/"],
        git_dir=common_dir,
    )
    return listed.stdout.decode().split()


def _is_lfs(rules: Iterable[Transformation]) -> bool:
    return any(rule.filter == LFS for rule in rules)


async def _looked_at(
    git_dir: Path, suspects: Collection[_Suspect]
) -> tuple[set[_Suspect], set[_Suspect]]:
    """Return those that are raw, and those of filters of which nobody can tell."""
    if not suspects:
        return set(), set()
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
    return wrong, unknown


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
    found: dict[Blob, set[str]] = {}
    for some in portions(sorted({blob.path for blob, _ in suspects})):
        listed = await run_git(
            ["rev-list", "--full-history", "--exclude=refs/ctui/*", "--all"]
            + ([base] if base else [])
            + ["--", *map(os.fsdecode, some)],
            git_dir=common_dir,
            env=_LITERAL,
            timeout=_SECONDS,
        )
        found |= await new_blobs(common_dir, listed.stdout.decode().split(), some)
    # Commit by commit, because each costs processes; a suspect is in few.
    of_commit: dict[str, set[_Suspect]] = defaultdict(set)
    for suspect in suspects:
        for commit in sorted(found.get(suspect.blob, ()))[:_SOURCES]:
            of_commit[commit].add(suspect)
    stored: set[_Suspect] = set()
    for commit, there in of_commit.items():
        rules = await attributes_at(common_dir, commit, {suspect.blob.path for suspect in there})
        stored |= {suspect for suspect in there if rules.get(suspect.blob.path) == suspect.rule}
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
    place = f"{one_line(blob.path.decode('utf-8', 'replace'), 80)} of {commit[:9]}"
    if rule.filter == LFS:
        return f"{place} is no Git LFS pointer"
    if rule.filter:
        return f"{place} did not go through the filter {one_line(rule.filter, 40)}"
    return f"{place} is stored as {one_line(rule.encoding, 40)}, not as UTF-8"
