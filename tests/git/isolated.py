"""An isolated task on a worktree, and what it sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ctui.git.private.private import create_private
from ctui.git.repository.repository import open_repository
from ctui.worktrees.create import create_worktree
from ctui.worktrees.model import WorktreeRecord
from tests.conftest import git
from tests.git.conftest import Place


async def isolated(
    repository: Path,
    tmp_path: Path,
    *,
    base: str = "HEAD",
    before: Callable[[Path], object] = lambda _worktree: None,
) -> Place:
    """Make an isolated task on a new worktree.

    Args:
        repository: the main checkout.
        tmp_path: where the worktree and the task's folder come.
        base: where the worktree begins.
        before: what the person does in the worktree before the task is made.
    """
    made = open_repository(repository)
    record = await create_worktree(made, tmp_path / "worktrees", name="work", base=base)
    before(Path(record.path))
    return await isolated_at(repository, tmp_path, record)


async def isolated_at(repository: Path, tmp_path: Path, record: WorktreeRecord) -> Place:
    """Make an isolated task on a worktree that is there; without metadata, on the checkout."""
    folder = tmp_path / "task"
    folder.mkdir()
    status = Path(record.path).stat()
    private = await create_private(
        open_repository(repository),
        Path(record.metadata) if record.metadata else None,
        folder,
        record.branch,
        record.base,
        (status.st_uid, status.st_gid),
        isolated=True,
    )
    return Place(repository, record, private)


def record_of(worktree: Path, metadata: str, branch: str | None) -> WorktreeRecord:
    """Return a record of a worktree that ctui did not make."""
    return WorktreeRecord(
        name=worktree.name,
        path=str(worktree),
        repository="",
        metadata=metadata,
        device=0,
        inode=0,
        branch=branch,
        base=git(worktree, "rev-parse", "HEAD"),
        created=0,
    )


def history(repository: Path, *commits: str) -> set[str]:
    """Return the names of all objects that commits reach."""
    listed = git(repository, "rev-list", "--objects", *commits)
    return {line.split()[0] for line in listed.splitlines()}


def objects(place: Place) -> set[str]:
    """Return the names of all objects that the task sees."""
    listed = place.in_task("cat-file", "--batch-all-objects", "--batch-check")
    return {line.split()[0] for line in listed.splitlines()}


def littered(repository: Path) -> set[str]:
    """Leave a dropped commit, another branch's commit and a stash; return what is only theirs."""
    base = git(repository, "rev-parse", "HEAD")
    known = history(repository, base)
    file = repository / "hello.txt"
    tips = []
    for content in ("dropped\n", "other\n"):
        file.write_text(content)
        git(repository, "commit", "-q", "-a", "-m", content)
        tips.append(git(repository, "rev-parse", "HEAD"))
        git(repository, "reset", "-q", "--hard", base)
    git(repository, "branch", "other", tips[1])
    file.write_text("stashed\n")
    git(repository, "stash")
    return history(repository, *tips, "refs/stash") - known
