"""Update of a worktree: what is new in the target is brought into its branch, or nothing is.

compute (scratch) -> hand the new objects over -> move the branch and its files as one
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ctui.errors import Conflict, Refused
from ctui.git.repository.partial import fetch_for_merge
from ctui.git.repository.repository import Repository, Target
from ctui.git.repository.target import short_ref
from ctui.text import one_line
from ctui.worktrees.landing.checkouts import Checkout, branch_name
from ctui.worktrees.landing.commit import uncommitted
from ctui.worktrees.landing.commit_diff import commit_diff, named
from ctui.worktrees.landing.commit_objects import Person, make_commit, message_bytes, person
from ctui.worktrees.landing.merge_plan import (
    MergeConflict,
    MergeRepository,
    explain,
    merge_repository,
    no_common_history,
    own_commits,
)
from ctui.worktrees.landing.ref_transaction import recover, ref_transaction

UpdateMethod = Literal["merge", "rebase"]


class Updated(msgspec.Struct, frozen=True, kw_only=True):
    """Update that took place, with all that is needed to undo it."""

    branch: str
    """The branch's short name."""
    target: str
    """Name of what it was updated from, safe to show."""
    method: Literal["merge", "rebase", "fast-forward", "none"]
    before: str
    after: str
    commits: int
    """Number of the target's commits that are new in it."""


class UpdatePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Update that was computed, and has moved nothing yet."""

    ref: str
    updated: Updated

    @property
    def moves(self) -> bool:
        return self.updated.before != self.updated.after


async def plan_update(
    repository: Repository,
    worktree: Checkout,
    *,
    method: UpdateMethod = "merge",
    dry_run: bool = False,
) -> UpdatePlan:
    """Compute an update; the new commits are in the repository then, without a ref.

    Args:
        repository: of the worktree; its first target is what is brought in.
        worktree: whose branch is updated; no task may be at work in it.
        method: one merge commit, or the branch's commits replayed on the target.
        dry_run: keep nothing; `after` is then a commit that nobody has.

    Raises:
        MergeConflict: with the files, and a message for the task.
        Refused: there is uncommitted work, an unfinished merge, or no branch.
        Unavailable: git is too old, or a disk is full.
    """
    await recover(worktree)
    target = repository.target()
    ref = _branch_of(worktree, target)
    await _refuse_unsaved(worktree)
    before = repository.resolve(ref)
    git = repository.git
    _, behind = git.ahead_behind(before, target.commit)
    after, done = before, "none"
    if behind and git.merge_base(before, target.commit) is None:
        raise no_common_history(repository)
    if behind:
        await fetch_for_merge(repository, before, target.commit)
    if behind and git.descendant_of(target.commit, before):
        after, done = target.commit, "fast-forward"
    elif behind:
        who = await person(worktree.git_dir, worktree.work_tree)
        if dry_run:
            who = who.unsigned()
        with merge_repository(repository) as place:
            after = await _compute(repository, place, ref, before, target, method, who)
            done = method
            if not dry_run:
                await place.hand_over(repository, after, [before, target.commit])
    updated = Updated(
        branch=branch_name(ref),
        target=short_ref(target.ref),
        method=done,  # type: ignore[arg-type]
        before=before,
        after=after,
        commits=behind,
    )
    return UpdatePlan(ref=ref, updated=updated)


async def carry_out(repository: Repository, worktree: Checkout, plan: UpdatePlan) -> None:
    """Move the branch and its files to what was computed, as one.

    Raises:
        Conflict: the branch moved meanwhile, or another git is at work there.
        Refused: a file is in the way, or was changed meanwhile; the message names it.
    """
    before, after = plan.updated.before, plan.updated.after
    reason = f"ctui: {plan.updated.method} of {plan.updated.target}"
    async with ref_transaction(worktree) as held:
        if worktree.ref != plan.ref or repository.resolve(plan.ref) != before:
            raise Conflict(
                f"{one_line(plan.updated.branch)} moved meanwhile", hint="look at it again"
            )
        # A task works on these files: it sees no plain text of what is stored transformed.
        await held.follow_files(before, after, stored=True)
        await held.move(plan.ref, before, after, reason)


async def _compute(
    repository: Repository,
    place: MergeRepository,
    ref: str,
    before: str,
    target: Target,
    method: UpdateMethod,
    who: Person,
) -> str:
    """Return the branch's new commit. Raises MergeConflict."""
    name = short_ref(target.ref)
    if method == "rebase":
        own = await own_commits(repository, target.commit, before, linear=True)
        try:
            after, _ = await place.replay(own, target.commit, who)
        except MergeConflict as conflict:
            hint = "let the task resolve it, or merge instead of --rebase"
            raise explain(conflict, name, target.commit, hint=hint) from conflict
    else:
        tree, files = await place.merge(before, target.commit)
        if files:
            found = MergeConflict(f"it conflicts with {name}", files=files)
            hint = "let the task resolve it"
            raise explain(found, name, target.commit, hint=hint)
        remote = "remote-tracking branch" if target.ref.startswith("refs/remotes/") else "branch"
        after = await make_commit(
            place.git,
            who,
            tree=tree,
            parents=[before, target.commit],
            message=message_bytes(f"Merge {remote} '{name}' into {branch_name(ref)}"),
        )
    changes = await commit_diff(place.git_dir, before, after)
    if links := [change.path for change in changes if change.gitlink]:
        raise Refused(f"it changes submodules: {named(links)}", hint="merge by hand")
    return after


def _branch_of(worktree: Checkout, target: Target) -> str:
    ref = worktree.ref
    if ref is None:
        raise Refused(
            f"no branch is checked out in {worktree.work_tree}", hint="git switch --create NAME"
        )
    if ref == target.ref:
        raise Refused(f"{short_ref(ref)} is the target itself", hint="git pull brings what is new")
    return ref


async def _refuse_unsaved(worktree: Checkout) -> None:
    if worktree.unfinished:
        raise Refused(
            f"{worktree.unfinished} is going on in {worktree.work_tree}", hint="finish or abort it"
        )
    if paths := (await uncommitted(worktree)).paths:
        raise Refused(
            f"there are uncommitted changes: {named(paths)}",
            hint="commit them first: ctui worktree commit NAME -m MESSAGE",
        )
