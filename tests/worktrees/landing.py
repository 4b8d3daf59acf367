"""A repository with a worktree of it, for the tests of committing and landing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.landing.checkouts import Checkout, linked_checkout
from ctui.worktrees.model import WorktreeRecord
from tests.conftest import git


class Place(NamedTuple):
    """The main checkout on `main`, and a worktree on `ctui/work`."""

    main: Path
    repository: Repository
    record: WorktreeRecord

    @property
    def path(self) -> Path:
        return Path(self.record.path)

    @property
    def worktree(self) -> Checkout:
        return linked_checkout(self.repository, Path(self.record.metadata), self.record)

    @property
    def main_index(self) -> Path:
        return self.repository.common_dir / "index"

    def work(self, name: str, text: str, message: str = "") -> str:
        """Commit a file in the worktree, as a task would have."""
        return commit_file(self.path, name, text, message)

    def on_main(self, name: str, text: str, message: str = "") -> str:
        """Commit a file in the main checkout."""
        return commit_file(self.main, name, text, message)

    def oid(self, revision: str) -> str:
        return git(self.main, "rev-parse", revision)


async def make_place(folder: Path, tmp_path: Path) -> Place:
    git(folder, "config", "user.name", "The Person")
    git(folder, "config", "user.email", "person@example.org")
    found = open_repository(folder)
    record = await create_worktree(found, tmp_path / "worktrees", name="work")
    return Place(folder, found, record)


def commit_file(folder: Path, name: str, text: str, message: str = "") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message or f"Write {name}")
    return git(folder, "rev-parse", "HEAD")


def raw_git(folder: Path, *arguments: str) -> bytes:
    """What git says, byte for byte."""
    return subprocess.run(
        ["git", "-c", "safe.directory=*", *arguments], cwd=folder, capture_output=True, check=True
    ).stdout


def snapshot(folder: Path) -> tuple[bytes, ...]:
    """All that git tells of a checkout: HEAD, refs, index, and what differs from it."""
    return (
        raw_git(folder, "rev-parse", "HEAD"),
        raw_git(folder, "for-each-ref"),
        raw_git(folder, "ls-files", "--stage", "-z"),
        raw_git(folder, "status", "--porcelain=v2", "-z", "--untracked-files=all"),
        b"\0".join(f"{name} {text!r}".encode() for name, text in sorted(files(folder).items())),
    )


def files(folder: Path) -> dict[str, bytes]:
    """Content and kind of every file below a folder, but not of `.git`."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.partition("/")[0] == ".git" or (path.is_dir() and not path.is_symlink()):
            continue
        mode = path.lstat().st_mode
        body = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        found[name] = b"%o " % mode + body
    return found


def leftovers(place: Place) -> list[str]:
    """Our own files in the git directories, which must be gone when nothing is going on."""
    folders = (place.repository.common_dir, Path(place.record.metadata))
    names = [path.name for folder in folders for path in folder.iterdir()]
    swap = place.repository.common_dir / "ctui-swap.json"
    assert not swap.exists() or swap.read_bytes() == b""
    kept = {"ctui-transition.lock", "ctui-worktrees.lock", "ctui-swap.json"}
    return sorted(
        name for name in names if ("ctui" in name or name.endswith(".lock")) and name not in kept
    )
