"""Files that differ between two trees, and what differs within them, read when it is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ctui.errors import ExternalFailure
from ctui.git.process.command import diff_arguments, run_git
from ctui.worktrees.review.hunks import Patch, parse_patch, parse_patches

Status = Literal["added", "deleted", "modified", "renamed", "type-changed"]

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_SECONDS = 120
_BIG_FILE = {"core.bigFileThreshold": "8m"}
"""Size of a file beyond which it is compared as a whole, as binary files are."""

_STATUSES: Mapping[bytes, Status] = {
    b"A": "added",
    b"D": "deleted",
    b"M": "modified",
    b"R": "renamed",
    b"T": "type-changed",
}
_KINDS = {"120000": "link", "160000": "submodule", "100755": "executable", "100644": "file"}
_NO_MODE = "000000"
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/v\d+")
_MOST_ARGUMENTS = 60_000
"""Bytes of paths that one process is given."""

_MOST_LINES = 50_000
"""Changed lines behind which another process begins: what one prints is held as a whole."""


class Trees(NamedTuple):
    """Two trees, or commits, that are compared."""

    git_dir: Path
    """A git directory that has both."""
    old: str
    new: str


class ChangedFile(NamedTuple):
    """A path whose entry differs."""

    path: bytes
    old_path: bytes
    """Another one only where it was renamed."""
    status: Status
    old_mode: str
    """As git writes it, such as 100644; 000000 where there is nothing."""
    new_mode: str
    old_blob: str
    new_blob: str
    added: int | None
    """Lines; None if it is binary, or too large to be compared."""
    removed: int | None

    @property
    def name(self) -> str:
        """Return its path as text, the same wherever it is kept; not sanitised."""
        return name_of(self.path)

    @property
    def content(self) -> str:
        """Return the object id that says what it is now; of a deleted one what it was."""
        return self.old_blob if self.status == "deleted" else self.new_blob

    @property
    def lines(self) -> int:
        return (self.added or 0) + (self.removed or 0)

    @property
    def submodule(self) -> bool:
        return "160000" in {self.old_mode, self.new_mode}


def name_of(path: bytes) -> str:
    r"""Return a path as text; bytes that are no UTF-8 are written as `\xff`."""
    return path.decode("utf-8", "backslashreplace")


async def changed_files(trees: Trees) -> list[ChangedFile]:
    """Return every path that differs between the trees, in git's order.

    Raises:
        ExternalFailure: git cannot compare them.
    """
    output = await run_git(
        [
            *("diff-tree", "-r", "-z", "--raw", "--numstat", "--no-abbrev", "-M", "-l1000"),
            *("--no-ext-diff", "--no-textconv", "--ignore-submodules=none"),
            *(trees.old, trees.new),
        ],
        git_dir=trees.git_dir,
        timeout=_SECONDS,
        config=_BIG_FILE,
    )
    return _parsed(output.stdout.split(b"\0"))


def _parsed(fields: list[bytes]) -> list[ChangedFile]:
    """Parse the entries, and behind them the numbers of lines in the same order."""
    entries: list[ChangedFile] = []
    place = 0
    while place < len(fields) and fields[place].startswith(b":"):
        old_mode, new_mode, old, new, kind = fields[place][1:].decode("ascii").split(" ")
        renamed = kind[:1] in {"R", "C"}
        old_path = fields[place + 1]
        path = fields[place + 2] if renamed else old_path
        status = _STATUSES.get(kind[:1].encode(), "modified")
        entries.append(
            ChangedFile(path, old_path, status, old_mode, new_mode, old, new, None, None)
        )
        place += 3 if renamed else 2
    found = []
    for entry in entries:
        if place >= len(fields):
            break
        added, removed, path = fields[place].split(b"\t", 2)
        place += 1 if path else 3
        numbers = [int(count) if count.isdigit() else None for count in (added, removed)]
        found.append(entry._replace(added=numbers[0], removed=numbers[1]))
    if len(found) != len(entries):
        raise ExternalFailure("git diff-tree said less than it should have")
    return found


async def patches(trees: Trees, files: Iterable[ChangedFile]) -> dict[bytes, Patch]:
    """Return what differs within these files, by path.

    Files of one call are read together: whoever wants to see the first ones soon asks for few.

    Raises:
        ExternalFailure: git cannot compare them.
    """
    found: dict[bytes, Patch] = {}
    together: list[ChangedFile] = []
    for file in files:
        if file.submodule or file.old_blob == file.new_blob:
            found[file.path] = Patch()
        elif file.old_path != file.path:
            found[file.path] = await _renamed(trees, file)
        else:
            together.append(file)
    for batch in _batches(together):
        found |= await _batch(trees, batch)
    return found


async def _renamed(trees: Trees, file: ChangedFile) -> Patch:
    """Compare two blobs: within a few paths git could find another pair for a renamed one."""
    output = await run_git(
        diff_arguments("--full-index", "-U3", file.old_blob, file.new_blob, "--"),
        git_dir=trees.git_dir,
        timeout=_SECONDS,
        config=_BIG_FILE,
    )
    return parse_patch(output.stdout)


async def _batch(trees: Trees, files: Sequence[ChangedFile]) -> dict[bytes, Patch]:
    output = await run_git(
        [
            *("diff-tree", "-r", "-p", "-U3", "--no-renames", "--full-index", "--no-color"),
            *("--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"),
            *(trees.old, trees.new, "--"),
            *(file.path.decode("utf-8", "surrogateescape") for file in files),
        ],
        git_dir=trees.git_dir,
        timeout=_SECONDS,
        env={"GIT_LITERAL_PATHSPECS": "1"},
        config=_BIG_FILE,
    )
    found = parse_patches(output.stdout)
    return {file.path: found.get(file.path, Patch()) for file in files}


def _batches(files: Iterable[ChangedFile]) -> Iterable[list[ChangedFile]]:
    batch: list[ChangedFile] = []
    size = lines = 0
    for file in files:
        if batch and (size + len(file.path) > _MOST_ARGUMENTS or lines > _MOST_LINES):
            yield batch
            batch, size, lines = [], 0, 0
        batch.append(file)
        size += len(file.path) + 1
        lines += (file.added or 0) + (file.removed or 0)
    if batch:
        yield batch


def remarks(file: ChangedFile, patch: Patch) -> list[str]:
    """Return in words what the lines of a file do not show; nothing where they show all."""
    said: list[str] = []
    if file.old_path != file.path:
        said.append(f"renamed from {name_of(file.old_path)}")
    if file.submodule:
        said.append(f"a submodule, {_commit(file.old_blob)} -> {_commit(file.new_blob)}")
    elif file.status == "type-changed":
        said.append(f"a {_kind(file.old_mode)} became a {_kind(file.new_mode)}")
    elif _NO_MODE not in {file.old_mode, file.new_mode} and file.old_mode != file.new_mode:
        said.append(f"mode {file.old_mode} -> {file.new_mode}")
    elif "120000" in {file.old_mode, file.new_mode}:
        said.append("a link")
    if file.added is None or patch.binary:
        said.append("binary, or too large to be shown line by line")
    elif _is_pointer(patch):
        said.append("a pointer of Git LFS: the content is elsewhere")
    elif not file.lines and not said:
        said.append("empty")
    if patch.left_out:
        said.append(f"{patch.left_out:,} more lines: too many to be shown here")
    return said


def _kind(mode: str) -> str:
    return _KINDS.get(mode, "file")


def _commit(oid: str) -> str:
    return oid[:10] if oid.strip("0") else "nothing"


def _is_pointer(patch: Patch) -> bool:
    return any(
        hunk.new_start <= 1 and any(_LFS.fullmatch(line.text) for line in hunk.lines[:2])
        for hunk in patch.hunks[:1]
    )
