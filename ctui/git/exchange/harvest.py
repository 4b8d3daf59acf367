"""Copies of a task's refs and new objects, made where the task cannot reach them.

The directory is hostile. Nothing in it is used in place: git would follow its alternates into other
repositories of the person, and would read files that change meanwhile.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ctui.errors import Refused
from ctui.git import hostile
from ctui.git.private.private import PrivateRepository

MAX_BYTES = 4 << 30
MAX_OBJECTS = 500_000
MAX_REFS = 5_000

_PACKED_LIMIT = 32 << 20
_SMALL = 1024
_STASH_LIMIT = 1 << 20
_OID = re.compile(r"[0-9a-f]{40}")
_PACKED = re.compile(r"^([0-9a-f]{40}) (refs/heads/\S{1,250})$", re.MULTILINE)
_STASH = re.compile(r"^[0-9a-f]{40} ([0-9a-f]{40}) ", re.MULTILINE)
_NO_TEXT = re.compile("[\udc80-\udcff]")
_LOOSE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{38}")
_PACK = re.compile(r"pack/pack-[0-9a-f]{40}\.(?:pack|idx)")


def offered_refs(private: PrivateRepository) -> dict[str, str]:
    """Return the new refs of the directory: name below `refs/ctui/<task>/` -> commit."""
    seeds = [_packed(_readable(path.read_bytes())) for path in _seeds(private)]
    heads = _heads(private.git_dir)
    found = {
        f"heads/{name.removeprefix('refs/heads/')}": commit
        for name, commit in heads.items()
        if not any(seed.get(name) == commit for seed in seeds) and _usable(name)
    }
    head = _text(private.git_dir, "HEAD")
    if _OID.fullmatch(head) and not any(head in seed.values() for seed in seeds):
        found["head"] = head
    for commit in _stashes(private.git_dir):
        # Git renumbers its stashes, so each gets a name that stays when another is dropped.
        found[f"stash/{commit[:12]}"] = commit
    if len(found) > MAX_REFS:
        raise Refused(f"the task has {len(found)} new refs; at most {MAX_REFS} are imported")
    return found


def checked_out(private: PrivateRepository, branch: str) -> str | None:
    """Return the commit that the task's own branch is at."""
    return _heads(private.git_dir).get(f"refs/heads/{branch}")


def copy_objects(private: PrivateRepository, staging: Path) -> None:
    """Copy every object that is not in `staging` yet into its `objects` folder.

    Raises:
        Refused: there are more, or larger ones, than a task may bring.
    """
    left, budget = MAX_BYTES, [MAX_OBJECTS]
    known = {f"pack/{name}{end}" for name in private.given_packs() for end in (".pack", ".idx")}
    target = staging / "objects"
    with hostile.folder(private.git_dir, "objects") as source:
        if source is None:
            return
        for name in hostile.walk_files(source, depth=1, budget=budget):
            if name in known or not (_LOOSE.fullmatch(name) or _PACK.fullmatch(name)):
                continue
            if not (target / name).exists():
                left -= _copy(source, name, target / name, left)
    if budget[0] < 0:
        raise Refused(f"the task has more than {MAX_OBJECTS} files of objects")


def _copy(source: int, name: str, target: Path, limit: int) -> int:
    folder, _, file_name = name.rpartition("/")
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=source)
    try:
        descriptor = hostile.open_file(file_name, directory)
    finally:
        os.close(directory)
    if descriptor is None:
        return 0
    target.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = target.with_name(target.name + ".new")
    with os.fdopen(descriptor, "rb") as reader, unfinished.open("wb") as writer:
        size = os.fstat(descriptor).st_size
        if size > limit:
            raise Refused("the task's new objects are larger than 4 GB")
        # The task may still be writing: copy no more than the size that was checked.
        left = size
        while left and (data := reader.read(min(left, 1 << 20))):
            writer.write(data)
            left -= len(data)
    unfinished.rename(target)
    return size


def _seeds(private: PrivateRepository) -> list[Path]:
    """Return what the refs began with; after a crash also what they were about to be given."""
    return [path for path in (private.seed, private.next_seed) if path.is_file()]


def _heads(git_dir: Path) -> dict[str, str]:
    packed = hostile.read_file(git_dir, "packed-refs", limit=_PACKED_LIMIT) or b""
    found = _packed(_readable(packed))
    with hostile.folder(git_dir, "refs", "heads") as directory:
        if directory is None:
            return found
        for name in hostile.walk_files(directory, depth=20, budget=[MAX_REFS * 4]):
            text = _text(git_dir, "refs", "heads", *name.split("/"))
            if _OID.fullmatch(text):
                found[f"refs/heads/{_readable(os.fsencode(name))}"] = text
    return found


def _stashes(git_dir: Path) -> list[str]:
    """Return the stashes, newest first, as `git stash list` counts them."""
    if not _OID.fullmatch(newest := _text(git_dir, "refs", "stash")):
        return []
    log = hostile.read_file(git_dir, "logs", "refs", "stash", limit=_STASH_LIMIT) or b""
    older = _STASH.findall(log.decode("utf-8", "replace"))[::-1]
    return list(dict.fromkeys([newest, *older]))[:100]


def _packed(text: str) -> dict[str, str]:
    return {name: commit for commit, name in _PACKED.findall(text)}


def _readable(names: bytes) -> str:
    """Return names of refs as text; what is no UTF-8 as `%E9`, so that no two become the same."""
    text = names.decode("utf-8", "surrogateescape")
    return _NO_TEXT.sub(lambda byte: f"%{ord(byte.group()) - 0xDC00:02X}", text)


def _text(git_dir: Path, *parts: str) -> str:
    data = hostile.read_file(git_dir, *parts, limit=_SMALL)
    return data.decode("utf-8", "replace").strip() if data else ""


def _usable(name: str) -> bool:
    import pygit2

    return bool(pygit2.reference_is_valid_name(name)) and "/@{" not in name
