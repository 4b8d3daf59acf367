"""Where a repository is, from its files alone: enough for a first picture, and nothing is believed.

Whether it can be used is decided by `git.repository.open_repository`, which takes longer.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_HEAD = "ref: refs/heads/"


class Place(NamedTuple):
    """A repository as its files describe it."""

    git_dir: Path
    """The main `.git` folder, also where a linked worktree was asked for."""

    @property
    def name(self) -> str:
        return self.git_dir.parent.name

    @property
    def branch(self) -> str:
        """What the main checkout is on; "" where HEAD does not say."""
        head = _line(self.git_dir / "HEAD")
        return head.removeprefix(_HEAD) if head.startswith(_HEAD) else "(detached)" if head else ""

    @property
    def unborn(self) -> bool:
        """Whether the branch of the main checkout has no commit yet, as far as files show it."""
        head = _line(self.git_dir / "HEAD")
        if not head.startswith(_HEAD) or (self.git_dir / "reftable").exists():
            return False
        ref = head.removeprefix("ref: ")
        if (self.git_dir / ref).exists():
            return False
        try:
            packed = (self.git_dir / "packed-refs").read_bytes()
        except OSError:
            return True
        return f" {ref}\n".encode() not in packed

    def worktree_names(self) -> dict[str, str]:
        """Path -> name of every linked worktree."""
        found: dict[str, str] = {}
        folder = self.git_dir / "worktrees"
        for metadata in sorted(folder.iterdir()) if folder.is_dir() else ():
            if link := _line(metadata / "gitdir"):
                found[str(Path(link).parent)] = metadata.name
        return found


def find_place(path: Path) -> Place | None:
    """The repository that a folder lies in; None if no `.git` is above it."""
    for folder in (path, *path.parents):
        git = folder / ".git"
        if git.is_dir():
            return Place(git.resolve())
        if git.is_file() and (link := _line(git).removeprefix("gitdir:").strip()):
            metadata = folder / link
            return Place((metadata / _line(metadata / "commondir")).resolve())
    return None


def _line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.readline(4096).strip()
    except (OSError, UnicodeDecodeError):
        return ""
