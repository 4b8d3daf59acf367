"""Places of a worktree where it may differ from its last snapshot, as git finds them.

Git only says where to look: names and times. What is there is read by `contents`.
"""

from __future__ import annotations

from asyncio import gather, to_thread
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.errors import CtuiError
from ctui.git.process.command import IGNORE_SUBMODULES
from ctui.worktrees.snapshots import index, recent
from ctui.worktrees.snapshots.contents import DEEPEST, SPECIAL, TOO_DEEP, Folders
from ctui.worktrees.snapshots.repository import SnapshotRepository

NESTED = "it is a repository of its own"
_HEAD = "head"
"""File with the commit that was checked out at the last snapshot."""

_GITIGNORE = b".gitignore"
_MOST_FOLDERS = 20_000


class Places(NamedTuple):
    """Paths to read, and what is said of others."""

    paths: set[bytes]
    """Files that may be new, changed or gone."""
    ignored: set[bytes]
    """Files of the last snapshot that are ignored by now, and in no commit."""
    empty_folders: set[bytes]
    left_out: dict[bytes, str]
    """Path -> reason."""
    head: str
    """The commit that is checked out; "" if there is none."""


async def find_places(snapshots: SnapshotRepository) -> Places:
    """Return the places where the worktree may differ from what the index has.

    Raises:
        CtuiError: git failed, or the worktree cannot be read.
    """
    edited, others, head = await gather(
        _names(snapshots, "diff-files", "--name-only", "--no-renames", IGNORE_SUBMODULES),
        _others(snapshots, "--directory"),
        _head(snapshots),
    )
    if became := await to_thread(_folders_among, snapshots.worktree, edited):
        # Git looks for nothing in a folder whose name is a file's in the index.
        await index.forget(snapshots, became)
        others = await _others(snapshots, "--directory")
    paths = {*edited, *(path for path in others if not path.endswith(b"/"))}
    paths |= await _committed(snapshots, head)
    paths.update(recent.recalled(snapshots.folder))
    folders = [path.rstrip(b"/") for path in others if path.endswith(b"/")]
    empty: set[bytes] = set()
    left_out: dict[bytes, str] = {}
    if folders:
        inside = await _others(snapshots)
        new = {path for path in inside if not path.endswith(b"/")}
        paths |= new
        left_out |= {path.rstrip(b"/"): NESTED for path in inside if path.endswith(b"/")}
        await to_thread(_look_below, snapshots.worktree, folders, new, empty, left_out)
    ignored = await _ignored(snapshots, head) if _names_gitignore(paths) else set()
    return Places(paths - ignored, ignored, empty, left_out, head)


def _folders_among(worktree: Path, paths: Iterable[bytes]) -> list[bytes]:
    with Folders(worktree) as opened:
        return [path for path in paths if opened.is_folder(path)]


def remember_head(snapshots: SnapshotRepository, head: str) -> None:
    """Note what is checked out at a snapshot."""
    (snapshots.folder / _HEAD).write_text(head)


def head_at(snapshots: SnapshotRepository) -> str:
    """Return the commit that was checked out at the last snapshot; "" if there was none."""
    try:
        return (snapshots.folder / _HEAD).read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _look_below(
    worktree: Path,
    folders: list[bytes],
    files: Iterable[bytes],
    empty: set[bytes],
    left_out: dict[bytes, str],
) -> None:
    """Add the empty folders below those that git does not know, and what no snapshot has.

    A folder in which git names no file is ignored, unless nothing is in it but such folders. There
    may be any number of folders: only so many are looked at.
    """
    with_files = _folders_of(files)
    with Folders(worktree) as opened:
        for folder in _below(opened, folders, with_files, empty, left_out):
            left_out[folder] = "there are too many folders"


def _below(
    opened: Folders,
    folders: list[bytes],
    with_files: set[bytes],
    empty: set[bytes],
    left_out: dict[bytes, str],
) -> list[bytes]:
    """Do that, and return the folders that were not looked at."""
    pending, looked_at = list(reversed(folders)), 0
    while pending and looked_at < _MOST_FOLDERS:
        here, looked_at = pending.pop(), looked_at + 1
        if here.count(b"/") >= DEEPEST:
            left_out[here] = TOO_DEEP
            continue
        found = opened.entries(here)
        if any(entry.name == b".git" for entry in found):
            left_out[here] = NESTED
            continue
        if here not in with_files and any(entry.kind == "file" for entry in found):
            continue
        left_out |= {b"%s/%s" % (here, one.name): SPECIAL for one in found if one.kind == "other"}
        inner = [b"%s/%s" % (here, entry.name) for entry in found if entry.kind == "folder"]
        pending += inner
        if not found:
            empty.add(here)
    return pending


def _folders_of(paths: Iterable[bytes]) -> set[bytes]:
    folders: set[bytes] = set()
    for path in paths:
        folder = path.rpartition(b"/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition(b"/")[0]
    return folders


def _names_gitignore(paths: Iterable[bytes]) -> bool:
    return any(path.rpartition(b"/")[2] == _GITIGNORE for path in paths)


async def _ignored(snapshots: SnapshotRepository, head: str) -> set[bytes]:
    said = await snapshots.git_there(
        *("ls-files", "--cached", "--ignored", "--exclude-standard", "-z"), files=True
    )
    ignored = set(_split(said.stdout))
    if ignored and head:
        listed = await snapshots.git_there("ls-tree", "-r", "-z", "--name-only", head)
        ignored.difference_update(_split(listed.stdout))
    return ignored


async def _committed(snapshots: SnapshotRepository, head: str) -> set[bytes]:
    """Return the files of a commit that are there and not in the index: they may be ignored ones.

    Git names those neither as changed nor as new.
    """
    if not head:
        return set()
    said = await snapshots.git_there(
        *("diff-index", "--cached", "--diff-filter=D", "--no-renames", "--name-only", "-z", head)
    )
    return await to_thread(_there, snapshots.worktree, _split(said.stdout))


def _there(worktree: Path, paths: Iterable[bytes]) -> set[bytes]:
    with Folders(worktree) as opened:
        return {path for path in paths if opened.is_other(path)}


async def _head(snapshots: SnapshotRepository) -> str:
    with suppress(CtuiError):
        said = await snapshots.git_there("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return said.stdout.decode("ascii", "replace").strip()
    return ""


async def _names(snapshots: SnapshotRepository, *arguments: str) -> list[bytes]:
    said = await snapshots.git(*arguments, "-z", files=True)
    return await to_thread(_split, said.stdout)


async def _others(snapshots: SnapshotRepository, *options: str) -> list[bytes]:
    said = await snapshots.git_there(
        *("ls-files", "--others", "--exclude-standard", "-z", *options), files=True
    )
    return await to_thread(_split, said.stdout)


def _split(output: bytes) -> list[bytes]:
    return [name for name in output.split(b"\0") if name]
