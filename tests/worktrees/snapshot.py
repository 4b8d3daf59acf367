"""Everything that there is to see of a worktree, to compare before and after."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

_AS_TEST = (
    *("-c", "safe.directory=*"),
    *("-c", "user.name=Test"),
    *("-c", "user.email=test@example.org"),
)


class Snapshot(NamedTuple):
    """Equal if nobody could tell two moments apart."""

    files: dict[bytes, tuple[object, ...]]
    metadata: dict[bytes, tuple[object, ...]]
    status: bytes
    refs: list[bytes]
    config: list[bytes]
    listed: bytes
    companions: list[dict[bytes, tuple[object, ...]]]


def snapshot(path: Path, *companions: Path) -> Snapshot:
    link = os.fsdecode((path / ".git").read_bytes()).removeprefix("gitdir: ").rstrip("\n")
    metadata = (path / link).resolve()
    common = metadata.parent.parent
    refs = raw_git(common, "for-each-ref").splitlines()
    return Snapshot(
        files=walked(path),
        metadata={
            name: fact for name, fact in walked(metadata).items() if b"sharedindex" not in name
        },
        status=raw_git(path, "status", "--porcelain=v2", "--branch", "-z"),
        refs=[ref for ref in refs if b"refs/ctui/trash/" not in ref],
        config=sorted(raw_git(common, "config", "--local", "--list", "-z").split(b"\0")),
        listed=raw_git(common, "worktree", "list", "--porcelain"),
        companions=[walked(companion) for companion in companions],
    )


def walked(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Each path below a folder with its lstat, content and extended attributes."""
    found: dict[bytes, tuple[object, ...]] = {}
    pending = [os.fsencode(root)]
    while pending:
        path = pending.pop()
        status = os.lstat(path)
        content: object = None
        if stat.S_ISLNK(status.st_mode):
            content = Path(os.fsdecode(path)).readlink()
        elif stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
        elif stat.S_ISDIR(status.st_mode):
            pending += [os.path.join(path, name) for name in os.listdir(path)]  # noqa: PTH118, PTH208 - raw bytes
        xattrs = {
            name: os.getxattr(path, name, follow_symlinks=False)
            for name in (os.listxattr(path, follow_symlinks=False))
        }
        found[os.path.relpath(path, os.fsencode(root))] = (
            stat.filemode(status.st_mode),
            (status.st_uid, status.st_gid, status.st_nlink, status.st_mtime_ns),
            content,
            xattrs,
        )
    return found


def raw_git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(
        ["git", *_AS_TEST, *arguments],
        cwd=folder,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        check=True,
    ).stdout


def collect_garbage(repository: Path) -> None:
    """What a person may do between removal and restore, with the sharpest settings."""
    raw_git(repository, "worktree", "prune", "--expire=now")
    raw_git(repository, "gc", "-q", "--prune=now")


def pins(repository: Path) -> list[bytes]:
    return raw_git(repository, "for-each-ref", "refs/ctui/trash").splitlines()


def is_whole(path: Path) -> None:
    """Every object that the worktree, its index and its reflog name is there."""
    done = subprocess.run(
        ["git", *_AS_TEST, "fsck", "--no-dangling", "--no-progress"],
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "notice:" not in line]
    assert not said
    assert done.returncode == 0
