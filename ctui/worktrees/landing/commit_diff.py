"""Differences between two commits, entry by entry, and paths as text for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ctui.git.process.command import run_git
from ctui.text import one_line

_GITLINK = b"160000"
_NOTHING = b"000000"
_SHOWN = 5


class TreeEntry(NamedTuple):
    """File, link or submodule in a tree."""

    mode: bytes
    """Mode in octal, as git writes it: 100644, 100755, 120000, 160000."""
    oid: bytes


class EntryChange(NamedTuple):
    """Path that is not the same in two commits; a rename is two of them."""

    path: bytes
    old: TreeEntry | None
    new: TreeEntry | None

    @property
    def gitlink(self) -> bool:
        """True if it is a submodule on either side."""
        return any(entry is not None and entry.mode == _GITLINK for entry in (self.old, self.new))


async def commit_diff(git_dir: Path, old: str, new: str) -> list[EntryChange]:
    """Return every path whose entry differs between two commits or trees, sorted by its bytes."""
    output = await run_git(
        ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new],
        git_dir=git_dir,
        timeout=300,
    )
    fields = output.stdout.split(b"\0")
    return [
        _change(facts, path) for facts, path in zip(fields[::2], fields[1::2], strict=False) if path
    ]


def _change(facts: bytes, path: bytes) -> EntryChange:
    old_mode, new_mode, old, new, _ = facts.removeprefix(b":").split(b" ")
    return EntryChange(
        path,
        None if old_mode == _NOTHING else TreeEntry(old_mode, old),
        None if new_mode == _NOTHING else TreeEntry(new_mode, new),
    )


def split_paths(output: bytes) -> list[bytes]:
    """Return the fields of an output with `-z`."""
    return [field for field in output.split(b"\0") if field]


def joined(paths: Iterable[bytes]) -> bytes:
    """Join paths for a command with `-z --stdin`."""
    return b"".join(path + b"\0" for path in paths)


def shown(path: bytes) -> str:
    """Return a path on one line, safe to show."""
    return one_line(path.decode("utf-8", "replace"))


def named(paths: Sequence[bytes]) -> str:
    """Return the first few of many paths, for a message of one line."""
    first = ", ".join(shown(path) for path in paths[:_SHOWN])
    left = len(paths) - _SHOWN
    return f"{first} and {left} more" if left > 0 else first
