"""What each worktree of a repository is now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from ctui.errors import CtuiError
from ctui.git.command import run_git, status_arguments
from ctui.git.repository import Repository, Target
from ctui.worktrees.model import (
    Changes,
    Problem,
    Upstream,
    Verdict,
    WorktreeRecord,
    WorktreeStatus,
)

_AT_ONCE = 2
"""More git processes than that gain nothing on two cores, and starve the tasks."""

_SECONDS = 20.0
"""A task can make its worktree slow to look at; it only makes its own status unknown."""

_STATES: Mapping[str, Literal["merge", "rebase", "cherry-pick", "revert", "bisect", "am"]] = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply/applying": "am",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}


async def list_worktrees(
    repository: Repository, records: Mapping[str, WorktreeRecord]
) -> list[WorktreeStatus]:
    """All linked worktrees, also those that ctui did not make, by name.

    Args:
        repository: the main checkout is not in the list.
        records: by metadata folder, of those that ctui made.
    """
    target = repository.target()
    folder = repository.common_dir / "worktrees"
    found = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(metadata: Path) -> WorktreeStatus:
        async with slots:
            return await worktree_status(repository, metadata, records.get(str(metadata)), target)

    return list(await asyncio.gather(*(one(metadata) for metadata in found)))


async def worktree_status(
    repository: Repository, metadata: Path, record: WorktreeRecord | None, target: Target
) -> WorktreeStatus:
    """One worktree, opened by its metadata and never by what its own folder says."""
    path, problem = _checked_path(repository, metadata, record)
    facts = _Facts()
    if problem is None:
        try:
            output = await run_git(
                status_arguments(), git_dir=metadata, work_tree=path, nice=True, timeout=_SECONDS
            )
            facts = _parse(output.stdout)
            if await _has_gitlinks(metadata):
                # Their own unsaved work is not looked at: that would run what they configure.
                problem = "submodules-unchecked"
        except CtuiError:
            problem = "unreadable"
    head = facts.head or _head(metadata, repository)
    base = record.base if record else None
    ahead, behind = _ahead_behind(repository, head, target.commit)
    fresh = head == base if base else _only_created(metadata)
    verdict = _verdict(head, target, ahead, fresh=fresh)
    changes = facts.changes if problem in {None, "submodules-unchecked"} else None
    return WorktreeStatus(
        name=record.name if record else metadata.name,
        path=str(path),
        branch=facts.branch or (record.branch if record else None),
        head=head,
        base=base,
        status=_status(verdict, changes, facts.upstream, problem),
        verdict=verdict,
        changes=changes,
        upstream=facts.upstream,
        ahead=ahead,
        behind=behind,
        state=_state(metadata),
        locked=_locked(metadata),
        problem=problem,
    )


async def _has_gitlinks(metadata: Path) -> bool:
    output = await run_git(["ls-files", "--stage", "-z"], git_dir=metadata, nice=True)
    return output.stdout.startswith(b"160000 ") or b"\x00160000 " in output.stdout


class _Facts:
    """What `git status` said."""

    def __init__(self) -> None:
        self.branch: str | None = None
        self.head: str | None = None
        self.upstream = Upstream()
        self.changes = Changes()


def _parse(output: bytes) -> _Facts:  # noqa: C901 - one case a line of the format
    """Porcelain version 2 with NUL (git-status(1))."""
    facts = _Facts()
    staged = modified = untracked = conflicted = 0
    name, numbers = None, None
    fields = iter(output.decode("utf-8", "replace").split("\0"))
    for field in fields:
        kind, _, rest = field.partition(" ")
        if kind == "#":
            key, _, value = rest.partition(" ")
            if key == "branch.oid" and value != "(initial)":
                facts.head = value
            elif key == "branch.head" and value != "(detached)":
                facts.branch = value
            elif key == "branch.upstream":
                name = value
            elif key == "branch.ab":
                numbers = [abs(int(number)) for number in value.split()]
        elif kind in {"1", "2"}:
            staged += rest[0] != "."
            modified += rest[1] != "."
            if kind == "2":
                next(fields, "")  # a rename's old path
        elif kind == "u":
            conflicted += 1
        elif kind == "?":
            untracked += 1
    facts.changes = Changes(staged, modified, untracked, conflicted)
    if name is not None:
        ahead, behind = numbers or (0, 0)
        facts.upstream = Upstream(name, "present" if numbers else "gone", ahead, behind)
    return facts


def _checked_path(
    repository: Repository, metadata: Path, record: WorktreeRecord | None
) -> tuple[Path, Problem | None]:
    """Where the worktree is, after checking that both ends still name each other."""
    link = _text(metadata / "gitdir")
    path = Path(record.path) if record else (metadata / link).parent
    if record is not None and (metadata / link).parent != path:
        return path, "tampered"
    if (metadata / _text(metadata / "commondir")).resolve() != repository.common_dir:
        return path, "tampered"
    try:
        status = path.lstat()
    except OSError:
        return path, "missing"
    if record is not None and (status.st_dev, status.st_ino) != (record.device, record.inode):
        return path, "tampered"
    back = path / ".git"
    if path.is_symlink() or back.is_symlink() or not back.is_file():
        return path, "tampered"
    named = Path(_text(back).removeprefix("gitdir:").strip())
    return path, None if (path / named).resolve() == metadata.resolve() else "tampered"


def _status(
    verdict: Verdict, changes: Changes | None, upstream: Upstream, problem: Problem | None
) -> Literal["clean", "unclean", "merged"]:
    if problem is not None or changes is None or changes.any:
        return "unclean"
    if verdict.kind in {"merged", "history"}:
        return "merged"
    pushed = upstream.state == "present" and not upstream.ahead
    return "clean" if verdict.kind in {"no-commits", "empty"} or pushed else "unclean"


def _verdict(head: str | None, target: Target, ahead: int, *, fresh: bool) -> Verdict:
    name = target.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    if head is None:
        return Verdict("unknown", "its HEAD cannot be read")
    if fresh and ahead == 0:
        return Verdict("no-commits", "nothing was committed yet")
    if ahead == 0:
        return Verdict("merged", f"every commit is in {name}", head)
    return Verdict("unmerged", f"{ahead} commit{'s' if ahead > 1 else ''} not in {name}")


def _only_created(metadata: Path) -> bool:
    """Whether its HEAD never moved; for worktrees whose beginning nobody recorded."""
    return len(_text(metadata / "logs" / "HEAD").splitlines()) <= 1


def _ahead_behind(repository: Repository, head: str | None, target: str) -> tuple[int, int]:
    if head is None:
        return 0, 0
    ahead, behind = repository.git.ahead_behind(head, target)
    return ahead, behind


def _head(metadata: Path, repository: Repository) -> str | None:
    text = _text(metadata / "HEAD")
    with suppress(CtuiError):
        return repository.resolve(text.removeprefix("ref:").strip())
    return None


def _state(
    metadata: Path,
) -> Literal["merge", "rebase", "cherry-pick", "revert", "bisect", "am"] | None:
    return next((state for name, state in _STATES.items() if (metadata / name).exists()), None)


def _locked(metadata: Path) -> str | None:
    path = metadata / "locked"
    return _text(path) if path.is_file() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return ""
