"""Landing: a worktree's commits are brought into a branch completely or not at all.

`prepare`: compute (scratch) -> hand the new objects over
`finish`: move the branch and its checkout as one
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

import msgspec

from ctui.errors import Conflict, InvalidInput, NotFound, Refused
from ctui.git.exchange.gitlinks import gitlink_changes, told
from ctui.git.exchange.swap import compare_and_swap
from ctui.git.repository.repository import Repository
from ctui.git.stored.attributes import attributes_at
from ctui.git.stored.new_blobs import Blob
from ctui.git.stored.stored import refuse_older, refuse_raw
from ctui.text import one_line
from ctui.worktrees.landing.checkouts import Checkout, branch_name, checkout_of
from ctui.worktrees.landing.commit import uncommitted
from ctui.worktrees.landing.commit_diff import commit_diff, named
from ctui.worktrees.landing.filter_changes import refuse_filter_changes
from ctui.worktrees.landing.landing_commit import Landing, Method, shown_branch
from ctui.worktrees.landing.ref_transaction import recover, ref_transaction


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """Landing that took place, with all that is needed to undo it."""

    method: Method
    target: str
    """The branch's short name."""
    before: str
    after: str
    commits: int
    """Number of the worktree's commits that it brought."""
    checkout_moved: bool
    """True if files of a checkout of the target changed with it."""


class _Options(NamedTuple):
    """Options of a move of the target with its checkout."""

    filters: bool
    as_stored: Collection[Path] = ()
    dry_run: bool = False


class Prepared(NamedTuple):
    """A landing whose commit is in the repository, and to which nothing has been moved."""

    method: Method
    ref: str
    """The target's full name."""
    branch: str
    """The worktree's, in full."""
    before: str
    """The target's commit when it was computed."""
    after: str
    commits: int
    options: _Options


class LandingOptions(TypedDict, total=False):
    """Options of a landing; see `prepare`."""

    method: Method
    target: str | None
    message: str
    fast_forward: bool
    filters: bool
    run_filters: Collection[str]
    as_stored: Collection[Path]


async def land(
    repository: Repository,
    worktree: Checkout,
    *,
    dry_run: bool = False,
    **options: Unpack[LandingOptions],
) -> Landed:
    """Bring the commits of a worktree's branch into a local branch.

    Everything is computed first; then the target moves by compare-and-swap, and where it is
    checked out, index and files with it, under the rules of `git merge --ff-only`. Attributes of
    the repository do not decide how files are merged. No hook runs; commits
    are signed where `commit.gpgSign` says so, by a program of the person's.

    Args:
        repository: of both.
        worktree: whose branch is landed; no task may be at work in it.
        dry_run: compute it, look at the target's checkout, and move nothing; `after` is then a
            commit that no branch has.
        options: as `prepare` takes them.

    Raises:
        CtuiError: see `prepare` and `finish`. If the target moved already where a disk is full, the
            next call for its checkout completes it.
    """
    prepared = await prepare(repository, worktree, dry_run=dry_run, **options)
    return await finish(repository, prepared)


async def prepare(
    repository: Repository,
    worktree: Checkout,
    *,
    method: Method = "merge",
    target: str | None = None,
    message: str = "",
    fast_forward: bool = False,
    filters: bool = False,
    run_filters: Collection[str] = (),
    as_stored: Collection[Path] = (),
    dry_run: bool = False,
) -> Prepared:
    """Compute a landing's commit, signed and in the repository, and move nothing.

    Args:
        repository: of both.
        worktree: whose branch is landed; no task may be at work in it.
        method: one merge commit, one commit with all changes, or each commit replayed.
        target: the branch's short name; the repository's default branch where it is not given.
        message: of the merge or squash commit; made from the branch where it is empty.
        fast_forward: a merge may make no commit where the target has nothing of its own.
        filters: it may change which of the person's filters applies to a file. A filter that
            applies before and after writes the files of the target's checkout, as in `git merge`.
        run_filters: filters that ran where the work was done; what they would change in a file of
            the worktree is no uncommitted work.
        as_stored: worktrees whose files are as they are stored, because tasks work there; a
            checkout of the target that is one of them stays so.
        dry_run: it will not be moved to: the commit is not signed.

    Raises:
        MergeConflict: with the files, and a message for the task. Nothing was moved.
        Refused: there is nothing to land, uncommitted work in the worktree, or a change of a
            submodule; the message names it.
        NotFound, InvalidInput: there is no such target, or it is the worktree's own branch.
        Unavailable: git is too old, or a disk is full.
    """
    await recover(worktree)
    ref = target_ref(repository, target)
    branch = await _branch_to_land(repository, worktree, ref)
    await _refuse_unsaved(worktree, run_filters)
    before, tip = repository.resolve(ref), repository.resolve(branch)
    hint = "let the task take it out of its history"
    pushed = [commit for _, commit in repository.refs("refs/remotes/")]
    await refuse_raw(repository.common_dir, tip, [before, *pushed], hint)
    plan = Landing(repository, ref, branch, before, tip, message)
    after, commits = await plan.compute(method, fast_forward=fast_forward, dry_run=dry_run)
    await _refuse_content(repository, plan, after, filters=filters)
    options = _Options(filters, as_stored, dry_run)
    return Prepared(method, ref, branch, before, after, commits, options)


async def finish(repository: Repository, prepared: Prepared, *, dry_run: bool = False) -> Landed:
    """Move the target to a prepared commit, if it still is where it was, and its checkout with it.

    With `dry_run`, or where it was prepared so, nothing moves, but it is looked whether it could.

    Raises:
        Conflict: the target moved meanwhile, or another git is at work in its checkout.
        Refused: something in the target's checkout is in the way; the message names it.
        Unavailable: a disk is full; the next call for its checkout completes what was begun.
    """
    method, ref, before, after = prepared.method, prepared.ref, prepared.before, prepared.after
    options = prepared.options
    options = options._replace(dry_run=dry_run or options.dry_run)
    reason = f"ctui: {method} of {shown_branch(prepared.branch)}"
    moved = await _move(repository, ref, before, after, reason, options)
    return Landed(
        method=method,
        target=branch_name(ref),
        before=before,
        after=after,
        commits=prepared.commits,
        checkout_moved=moved,
    )


async def undo_landing(repository: Repository, landed: Landed, *, filters: bool = False) -> bool:
    """Move the target back to where it was, and its checkout with it, under the rules of `land`.

    Returns:
        True if files of a checkout followed.

    Raises:
        Conflict: something came after the landing.
        Refused: something in the target's checkout is in the way; the message names it.
    """
    ref = f"refs/heads/{landed.target}"
    if ref not in repository.git.references or repository.resolve(ref) != landed.after:
        raise Conflict(
            f"{shown_branch(ref)} is not where the landing left it",
            hint="revert the commits instead",
        )
    reason = f"ctui: undo {landed.method}"
    return await _move(repository, ref, landed.after, landed.before, reason, _Options(filters))


async def _move(
    repository: Repository,
    ref: str,
    old: str,
    new: str,
    reason: str,
    options: _Options,
) -> bool:
    """Move a branch and the checkout that has it; return True if files of one followed."""
    checkout = checkout_of(repository, ref)
    if checkout is None:
        if options.dry_run:
            return False
        compare_and_swap(repository.common_dir, ref, old, new, reason)
        return False
    async with ref_transaction(checkout) as held:
        # Without this, a landing by somebody else would look like staged changes.
        if checkout.ref != ref or repository.resolve(ref) != old:
            raise Conflict(
                f"{shown_branch(ref)} moved meanwhile", hint="look at it again, then try again"
            )
        stored = checkout.work_tree in options.as_stored
        await held.follow_files(old, new, filters=options.filters and not stored, stored=stored)
        if not options.dry_run:
            await held.move(ref, old, new, reason)
    return not options.dry_run


async def _refuse_content(
    repository: Repository, plan: Landing, after: str, *, filters: bool
) -> None:
    """Refuse what must not come into the target: other filters, untransformed files, gitlinks."""
    git_dir, before = repository.common_dir, plan.before
    changes = await commit_diff(git_dir, before, after)
    await refuse_filter_changes(git_dir, before, after, changes, allowed=filters)
    files = [Blob(change.path, change.new.oid) for change in changes if change.new]
    anew = "take it out of the branch, and add it again where the filter runs"
    await refuse_older(git_dir, before, plan.tip, files, anew)
    if links := await gitlink_changes(git_dir, before, after):
        raise Refused(
            f"it changes {told(links)}",
            hint="merge by hand after looking at what they link to",
        )


async def _refuse_unsaved(worktree: Checkout, run_filters: Collection[str]) -> None:
    if worktree.unfinished:
        raise Refused(
            f"{worktree.unfinished} is going on in {worktree.work_tree}", hint="finish or abort it"
        )
    found = await uncommitted(worktree)
    if run_filters and found.changed:
        rules = await attributes_at(worktree.git_dir, "HEAD", found.changed)
        changed = [p for p in found.changed if p not in rules or rules[p].filter not in run_filters]
        found = found._replace(changed=tuple(changed))
    if paths := found.paths:
        raise Refused(f"there are uncommitted changes: {named(paths)}", hint="commit them first")


async def _branch_to_land(repository: Repository, worktree: Checkout, target: str) -> str:
    """Return the worktree's branch, after completing an interrupted landing into the target."""
    branch = worktree.ref
    if branch is None:
        raise Refused(
            f"no branch is checked out in {worktree.work_tree}", hint="git switch --create NAME"
        )
    if checkout := checkout_of(repository, target):
        await recover(checkout)
    if branch == target:
        raise InvalidInput(
            f"{shown_branch(target)} is the worktree's own branch", hint="name another target"
        )
    return branch


def target_ref(repository: Repository, name: str | None) -> str:
    """Return the full name of the branch to land in. For the errors see `land`."""
    chosen = name if name is not None else repository.default_branch()
    if chosen is None or f"refs/heads/{chosen}" not in repository.git.references:
        raise NotFound(
            f"there is no local branch {one_line(chosen or 'to land in')}",
            hint="name another target, or make it: git branch NAME origin/NAME",
        )
    return f"refs/heads/{chosen}"
