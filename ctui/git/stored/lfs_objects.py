"""Files of Git LFS in the store of the repository, and those of a task on their way home.

A task's git-lfs keeps what it adds in the task's own git directory. An object is taken over under
the name that its content has, so a task can put nothing else in its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ctui.errors import Refused
from ctui.git import hostile
from ctui.git.process.command import run_git
from ctui.git.repository.opening import common_dir_of
from ctui.git.stored.attributes import filter_setting, portions
from ctui.git.stored.lfs import POINTER_LIMIT, Pointer, pointer_of
from ctui.text import one_line

MAX_BYTES = 8 << 30
"""Bytes of new objects of one import."""

_PORTION = 1 << 20
_SETTINGS = {
    "clean": "git-lfs clean -- %f",
    "smudge": "git-lfs smudge -- %f",
    "process": "git-lfs filter-process",
    "required": "true",
}


async def store_of(common_dir: Path) -> Path:
    """Return the folder of a repository's objects of Git LFS, which need not exist."""
    output = await run_git(
        ["config", "--type=path", "--get", "lfs.storage"], git_dir=common_dir, check=False
    )
    storage = output.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")
    return common_dir / (storage or "lfs") / "objects"


async def set_up(config: Path, common_dir: Path) -> None:
    """Let the git-lfs of a sandbox transform files; it reaches no server and knows none."""
    values = {f"filter.lfs.{name}": value for name, value in _SETTINGS.items()}
    # What is not in the store stays a pointer.
    values["lfs.skipDownloadErrors"] = "true"
    for key, value in values.items():
        await run_git(["config", "--file", config, key, value], git_dir=common_dir)


async def pointers_in(git_dir: Path, oids: Iterable[bytes]) -> dict[bytes, Pointer]:
    """Return those of the blobs that are pointers."""
    asked = b"".join(oid + b"\n" for oid in oids)
    checked = await run_git(["cat-file", "--batch-check"], git_dir=git_dir, input=asked)
    lines = [line.split(b" ") for line in checked.stdout.splitlines()]
    small = [line[0] for line in lines if line[1:2] == [b"blob"] and int(line[2]) <= POINTER_LIMIT]
    if not small:
        return {}
    output = await run_git(
        ["cat-file", "--batch"], git_dir=git_dir, input=b"".join(oid + b"\n" for oid in small)
    )
    found: dict[bytes, Pointer] = {}
    rest = output.stdout
    while rest:
        head, _, rest = rest.partition(b"\n")
        oid, _, size = head.split(b" ")
        if pointer := pointer_of(rest[: int(size)]):
            found[oid] = pointer
        rest = rest[int(size) + 1 :]
    return found


def take_over(git_dir: Path, store: Path, wanted: Mapping[Pointer, bytes]) -> None:
    """Copy objects of a task into the repository's store, if they are what they are called.

    Args:
        git_dir: the task's, which is hostile.
        store: see `store_of`.
        wanted: the objects, each with the path that needs it, or b"" where nobody misses it.

    Raises:
        Refused: one is not there, is another, or all are too large. The message names the path.
    """
    left = MAX_BYTES
    for pointer, path in sorted(wanted.items()):
        target = store / pointer.sha256[:2] / pointer.sha256[2:4] / pointer.sha256
        if target.is_file():
            continue
        copied = _copy(git_dir, pointer, target, left)
        left -= pointer.size if copied else 0
        if not copied and path:
            name = one_line(path.decode("utf-8", "replace"), 80)
            raise Refused(
                f"the file of Git LFS at {name} is not in the task: let the task add it again"
            )


def _copy(git_dir: Path, pointer: Pointer, target: Path, limit: int) -> bool:
    """Copy one object, and return True if it was there and had the right content."""
    name = pointer.sha256
    with hostile.folder(git_dir, "lfs", "objects", name[:2], name[2:4]) as folder:
        if folder is None or (descriptor := hostile.open_file(name, folder)) is None:
            return False
    if os.fstat(descriptor).st_size != pointer.size:
        os.close(descriptor)
        return False
    if pointer.size > limit:
        os.close(descriptor)
        raise Refused("the task's new files of Git LFS are larger than 8 GB")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(descriptor, "rb") as reader, unfinished.open("xb") as writer:
            digest, left = hashlib.sha256(), pointer.size
            while data := reader.read(_PORTION):
                left -= len(data)
                if left < 0:
                    return False
                digest.update(data)
                writer.write(data)
        if left or digest.hexdigest() != name:
            return False
        unfinished.rename(target)
        return True
    finally:
        unfinished.unlink(missing_ok=True)


async def unchanged_files(git_dir: Path, work_tree: Path, paths: Iterable[bytes]) -> set[bytes]:
    """Return those of the paths whose file is what the pointer in the index stands for.

    Git itself would ask git-lfs, which must not run on what a task wrote.
    """
    asked = [*paths]
    if not asked or not _may_be_used(git_dir):
        return set()
    blobs: dict[bytes, bytes] = {}
    for some in portions(asked):
        listed = await run_git(
            ["ls-files", "--stage", "-z", "--", *map(os.fsdecode, some)],
            git_dir=git_dir,
            env={"GIT_LITERAL_PATHSPECS": "1"},
        )
        stages = (line.partition(b"\t") for line in listed.stdout.split(b"\0") if line)
        blobs |= {path: facts.split(b" ")[1] for facts, _, path in stages}
    pointers = await pointers_in(git_dir, set(blobs.values()))
    known = {path: pointers[oid] for path, oid in blobs.items() if oid in pointers}
    return await asyncio.to_thread(
        lambda: {path for path, pointer in known.items() if _is(work_tree, path, pointer)}
    )


def _may_be_used(git_dir: Path) -> bool:
    """Return False if no git-lfs ever worked here, which is known without a process."""
    common_dir = common_dir_of(git_dir)
    with suppress(OSError):
        return (common_dir / "lfs").is_dir() or b"[lfs" in (
            common_dir / "config"
        ).read_bytes().lower()
    return True


async def is_configured(git_dir: Path) -> bool:
    """Return True if the person's git runs git-lfs."""
    return bool(
        await filter_setting(git_dir, "lfs", "process")
        or await filter_setting(git_dir, "lfs", "clean")
    )


def _is(work_tree: Path, path: bytes, pointer: Pointer) -> bool:
    *folders, name = os.fsdecode(path).split("/")
    with hostile.folder(work_tree, *folders) as folder:
        if folder is None or (descriptor := hostile.open_file(name, folder)) is None:
            return False
    digest = hashlib.sha256()
    with suppress(OSError), os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_size != pointer.size:
            return False
        while data := file.read(_PORTION):
            digest.update(data)
        return digest.hexdigest() == pointer.sha256
    return False
