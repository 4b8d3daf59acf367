"""The changes of a worktree since it began, as text."""

from __future__ import annotations

from ctui.errors import Refused
from ctui.git.process.command import diff_arguments, run_git
from ctui.git.repository.repository import Repository
from ctui.worktrees.identity import checked_path, head_of
from ctui.worktrees.known import KnownWorktree
from ctui.worktrees.mending import what_to_do

_SECONDS = 60


async def worktree_diff(repository: Repository, worktree: KnownWorktree, *, stat: bool) -> str:
    """Return the diff from its base to its files as they are now. Nothing is sanitised.

    Args:
        repository: whose worktree it is.
        worktree: opened by its metadata.
        stat: only the files, and how many lines of each.

    Raises:
        Refused: its files are not what was recorded.
        NotFound, CtuiError: git could not compare.
    """
    path, problem = checked_path(repository, worktree.metadata, worktree.record)
    if problem is not None:
        hint = what_to_do(problem, path, worktree.metadata)
        raise Refused(f"{worktree.name} is {problem}", hint=hint)
    if head_of(repository, worktree.metadata) is None:
        raise Refused(f"the HEAD of {worktree.name} names no commit", hint="git switch to a branch")
    began = worktree.record.base if worktree.record else None
    begin = began or await _fork(repository, worktree)
    options = ["--stat"] if stat else []
    changed = await run_git(
        diff_arguments(*options, begin, "--"),
        git_dir=worktree.metadata,
        work_tree=path,
        timeout=_SECONDS,
    )
    listed = await run_git(
        ["ls-files", "--others", "--exclude-standard", "-z"],
        git_dir=worktree.metadata,
        work_tree=path,
        timeout=_SECONDS,
    )
    text = changed.stdout.decode("utf-8", "replace")
    new = [name for name in listed.stdout.decode("utf-8", "replace").split("\0") if name]
    if new:
        names = "".join(f"  {name}\n" for name in new)
        text += f"\nnew files that are not added:\n{names}"
    return text


async def _fork(repository: Repository, worktree: KnownWorktree) -> str:
    """Return the commit where it left the target, or the target if they have no common history."""
    target = repository.target().commit
    found = await run_git(["merge-base", "HEAD", target], git_dir=worktree.metadata, check=False)
    return found.stdout.decode().strip() or target
