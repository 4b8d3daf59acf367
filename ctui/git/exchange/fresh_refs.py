"""Refs inside a task that follow the repository's, but for those that the task moved itself.

A task's private git directory has copies of branches, remote branches and tags. The task owns that
directory and may lie in it or work in it meanwhile: it is read by descriptor, only `packed-refs` is
replaced, and that under git's own lock (`packed-refs.lock`), so that a git of the task waits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ctui.files import replace_file
from ctui.git import hostile
from ctui.git.exchange.follow_host import finish
from ctui.git.private.packed_refs import current_refs, lines_of, packed
from ctui.git.private.private import PrivateRepository

_PACKED_LIMIT = 32 << 20
_SMALL = 4096
_LOOSE_LIMIT = 20_000
_PACKED = re.compile(rb"^([0-9a-f]{40}(?:[0-9a-f]{24})?) (refs/[^\x00-\x20\x7f]{1,1000})$")
_COPIED = (b"refs/heads/", b"refs/remotes/", b"refs/tags/")
_USED = (("HEAD",), ("rebase-merge", "head-name"), ("rebase-apply", "head-name"))
_LOCK = "packed-refs.lock"
_OWN_LOCK = b"# pack-refs with: sorted ctui \n"
"""Header of a lock that is ours; git passes over a trait that it does not know."""

Refs = dict[bytes, bytes]
"""Object ids by full names."""


def refresh_refs(private: PrivateRepository, branch: str | None, owner: tuple[int, int]) -> int:
    """Let the task's refs that it did not move follow the repository's; return how many did.

    Never those that the task changed, deleted or has a file of, never a branch that is checked out
    or rebased there, and never the worktree's own branch.

    Args:
        private: the task's git directory; an isolated one stays as it is.
        branch: the worktree's own.
        owner: uid and gid that the task runs as.

    Raises:
        OSError: the directory cannot be read or written.
    """
    finish(private, owner)
    if private.isolated:
        return 0
    there = current_refs(private.repository)
    seeds = seeded(private)
    with hostile.folder(private.git_dir) as directory:
        if directory is None:
            return 0
        kept = {f"refs/heads/{branch}".encode("utf-8", "surrogateescape"), *_in_use(private)}
        if not _lock(directory):
            return 0
        moves: dict[bytes, bytes | None] = {}
        try:
            here, loose = _packed(private), set(_loose(private))
            moves = _moves(here, there, seeds, loose | kept)
            if moves:
                seed = {name: ids[0] for name, ids in seeds.items()}
                _write_seed(private.next_seed, _applied(seed, moves))
                _fill(directory, _OWN_LOCK + lines_of(_applied(here, moves)), owner)
                os.rename(_LOCK, "packed-refs", src_dir_fd=directory, dst_dir_fd=directory)
                private.next_seed.rename(private.seed)
        finally:
            # After the rename a lock is another git's.
            if _left_by_us(directory):
                os.unlink(_LOCK, dir_fd=directory)
    return len(moves)


def seeded(private: PrivateRepository) -> dict[bytes, tuple[bytes, ...]]:
    """Return the commits that ctui gave each ref; two where a crash cut a refresh off."""
    seed, following = _parse(private.seed.read_bytes()), Refs()
    with suppress(FileNotFoundError):
        following = _parse(private.next_seed.read_bytes())
    found: dict[bytes, tuple[bytes, ...]] = {name: (commit,) for name, commit in seed.items()}
    for name, commit in following.items():
        found[name] = (*found.get(name, ()), commit)
    return found


def _moves(
    here: Refs,
    there: Mapping[bytes, bytes],
    seeds: Mapping[bytes, tuple[bytes, ...]],
    kept: set[bytes],
) -> dict[bytes, bytes | None]:
    """Return the refs to move, and where; None is for one that the repository has no more."""
    found: dict[bytes, bytes | None] = {}
    for name in {*there, *seeds}:
        if name in kept or not name.startswith(_COPIED) or here.get(name) == there.get(name):
            continue
        ours = name not in here if name not in seeds else here.get(name) in seeds[name]
        if ours:
            found[name] = there.get(name)
    # What the task has beside it must not become a folder of it, or the other way round.
    stays = ({*here} - {*found}) | kept
    folders = {folder for name in stays for folder in _above(name)}
    return {
        name: commit
        for name, commit in found.items()
        if commit is None or (name not in folders and stays.isdisjoint(_above(name)))
    }


def _above(name: bytes) -> Iterable[bytes]:
    parts = name.split(b"/")
    return (b"/".join(parts[:count]) for count in range(3, len(parts)))


def _applied(refs: Mapping[bytes, bytes], moves: Mapping[bytes, bytes | None]) -> Refs:
    merged = {**refs, **moves}
    return {name: commit for name, commit in merged.items() if commit is not None}


def _packed(private: PrivateRepository) -> Refs:
    data = hostile.read_file(private.git_dir, "packed-refs", limit=_PACKED_LIMIT)
    return _parse(data or b"")


def _parse(data: bytes) -> Refs:
    found = Refs()
    for line in data.split(b"\n"):
        if match := _PACKED.match(line):
            found[match[2]] = match[1]
    return found


def _loose(private: PrivateRepository) -> Iterable[bytes]:
    with hostile.folder(private.git_dir, "refs") as directory:
        if directory is not None:
            budget = [_LOOSE_LIMIT]
            for name in hostile.walk_files(directory, depth=20, budget=budget):
                yield b"refs/" + os.fsencode(name)
            if budget[0] < 0:
                raise OSError(0, "it has too many refs")


def _in_use(private: PrivateRepository) -> Iterable[bytes]:
    """Return the branches that the task's files belong to."""
    for parts in _USED:
        data = hostile.read_file(private.git_dir, *parts, limit=_SMALL) or b""
        yield data.removeprefix(b"ref:").strip()


def _write_seed(path: Path, refs: Mapping[bytes, bytes]) -> None:
    replace_file(path, packed(refs), suffix="new")


def _lock(directory: int) -> bool:
    """Take git's lock of the packed refs; one that a crash left of ours is taken over."""
    for _ in range(2):
        try:
            descriptor = os.open(
                _LOCK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=directory
            )
        except FileExistsError:
            if not _left_by_us(directory):
                return False
            with suppress(FileNotFoundError):
                os.unlink(_LOCK, dir_fd=directory)
        else:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_OWN_LOCK)
            return True
    return False


def _left_by_us(directory: int) -> bool:
    descriptor = hostile.open_file(_LOCK, directory)
    if descriptor is None:
        return False
    with os.fdopen(descriptor, "rb") as file:
        return file.read(len(_OWN_LOCK)) == _OWN_LOCK


def _fill(directory: int, data: bytes, owner: tuple[int, int]) -> None:
    descriptor = os.open(_LOCK, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, dir_fd=directory)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if os.geteuid() == 0:
            os.fchown(descriptor, *owner)
