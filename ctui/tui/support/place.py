"""Place of a repository, from its files alone: enough for a first picture, nothing is believed.

Whether it can be used is decided by `git.repository.open_repository`, which takes longer.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ctui.small_file import read_small_file

_HEAD = "ref: refs/heads/"
_LINE_LIMIT = 1 << 16
_REFS_LIMIT = 1 << 26
_UNREADABLE = (OSError, ValueError, RuntimeError)
"""Errors of a path that is too long, not allowed, has a NUL in it, or is a loop of links."""


class Place(NamedTuple):
    """A repository as its files describe it."""

    git_dir: Path
    """The main `.git` folder or the bare repository, also where a linked worktree was asked for."""

    @property
    def name(self) -> str:
        hidden = self.git_dir.name.startswith(".")
        return self.git_dir.parent.name if hidden else self.git_dir.name.removesuffix(".git")

    @property
    def branch(self) -> str:
        """Return the branch of the main checkout, or "" where HEAD does not say."""
        head = _line(self.git_dir / "HEAD")
        return head.removeprefix(_HEAD) if head.startswith(_HEAD) else "(detached)" if head else ""

    @property
    def unborn(self) -> bool:
        """Return True if the main checkout's branch has no commit yet, as far as files show it."""
        head = _line(self.git_dir / "HEAD")
        if not head.startswith(_HEAD):
            return False
        ref = head.removeprefix("ref: ")
        try:
            if (self.git_dir / "reftable").exists() or (self.git_dir / ref).exists():
                return False
            packed = read_small_file(self.git_dir / "packed-refs", _REFS_LIMIT)
        except FileNotFoundError:
            return True
        except _UNREADABLE:
            return False  # it is damaged, and no place for a first commit
        return f" {ref}\n".encode() not in packed

    def worktree_names(self) -> dict[str, str]:
        """Return the names of all linked worktrees by path."""
        found: dict[str, str] = {}
        try:
            metadata_folders = sorted((self.git_dir / "worktrees").iterdir())
        except OSError:
            return found
        for metadata in metadata_folders:
            if link := _line(metadata / "gitdir"):
                found[str(Path(link).parent)] = metadata.name
        return found


def find_place(path: Path) -> Place | None:
    """Return the repository that a folder lies in, or None if no readable `.git` is above it."""
    try:
        path = path.resolve()
        for folder in (path, *path.parents):
            git = folder / ".git"
            if git.is_dir():
                return Place(git.resolve())
            if git.is_file():
                return _linked_place(folder, _line(git))
            if _is_git_dir(folder):
                return Place(folder)
    except _UNREADABLE:
        pass
    return None


def place_at(checkout: Path) -> Place | None:
    """Return the repository whose main checkout is exactly this folder, if it still is one.

    A bare repository has none, and is named by its own folder.
    """
    place = find_place(checkout)
    known = place is not None and place.git_dir in {checkout / ".git", checkout}
    return place if known else None


def _linked_place(folder: Path, line: str) -> Place | None:
    """Return what the line of a `.git` file leads to; git looks no further up if that is wrong."""
    if not (link := line.removeprefix("gitdir:").strip()):
        return None
    metadata = folder / link
    return Place((metadata / _line(metadata / "commondir")).resolve())


def _is_git_dir(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("HEAD", "objects", "refs"))


def _line(file: Path) -> str:
    try:
        return read_small_file(file, _LINE_LIMIT).decode().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        return ""
