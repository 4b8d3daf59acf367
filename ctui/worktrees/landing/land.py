"""Landing: a worktree's commits are brought into a branch completely or not at all.

compute (scratch) -> hand the new objects over -> move the branch and its checkout as one
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec

from ctui.errors import Conflict, InvalidInput, NotFound, Refused
from ctui.git.attributes import attributes_at
from ctui.git.gitlinks import gitlink_changes, told
from ctui.git.new_blobs import Blob
from ctui.git.partial import fetch_for_merge
from ctui.git.repository import Repository
from ctui.git.stored import refuse_older, refuse_raw
from ctui.git.swap import compare_and_swap
from ctui.text import one_line
from ctui.worktrees.landing.checkouts import Checkout, branch_name, checkout_of
from ctui.worktrees.landing.commit import uncommitted
from ctui.worktrees.landing.commit_diff import commit_diff, named
from ctui.worktrees.landing.commit_objects import make_commit, message_bytes, person, read_original
from ctui.worktrees.landing.filter_changes import refuse_filter_changes
from ctui.worktrees.landing.merge_plan import (
    MergeConflict,
    MergeRepository,
    explain,
    merge_repository,
    own_commits,
)
from ctui.worktrees.landing.ref_transaction import recover, ref_transaction

Method = Literal["merge", "squash", "rebase"]


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


async def land(
    repository: Repository,
    worktree: Checkout,
    *,
    method: Method = "merge",
    target: str | None = None,
    message: str = "",
    fast_forward: bool = False,
    filters: bool = False,
    run_filters: Collection[str] = (),
    dry_run: bool = False,
) -> Landed:
    """Bring the commits of a worktree's branch into a local branch.

    Everything is computed first; then the target moves by compare-and-swap, and where it is
    checked out, index and files with it, under the rules of `git merge --ff-only`. Attributes of
    the repository do not decide how files are merged. No hook runs; commits
    are signed where `commit.gpgSign` says so, by a program of the person's.

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
        dry_run: compute it, look at the target's checkout, and move nothing; `after` is then a
            commit that no branch has.

    Raises:
        MergeConflict: with the files, and a message for the task. Nothing was moved.
        Refused: there is nothing to land, uncommitted work in the worktree, a change of a
            submodule, or something in the target's checkout is in the way; the message names it.
        NotFound, InvalidInput: there is no such target, or it is the worktree's own branch.
        Conflict: the target moved meanwhile, or another git is at work in its checkout.
        Unavailable: git is too old, or a disk is full. If the target moved already, the next call
            for its checkout completes it.
    """
    await recover(worktree)
    ref = _target_ref(repository, target)
    branch = await _branch_to_land(repository, worktree, ref)
    await _refuse_unsaved(worktree, run_filters)
    before, tip = repository.resolve(ref), repository.resolve(branch)
    hint = "let the task take it out of its history"
    pushed = [commit for _, commit in repository.refs("refs/remotes/")]
    await refuse_raw(repository.common_dir, tip, [before, *pushed], hint)
    plan = _Landing(repository, ref, branch, before, tip, message)
    after, commits = await plan.compute(method, fast_forward=fast_forward, dry_run=dry_run)
    reason = f"ctui: {method} of {_short(branch)}"
    changes = await commit_diff(repository.common_dir, before, after)
    await refuse_filter_changes(repository.common_dir, before, after, changes, allowed=filters)
    files = [Blob(change.path, change.new.oid) for change in changes if change.new]
    anew = "take it out of the branch, and add it again where the filter runs"
    await refuse_older(repository.common_dir, before, tip, files, anew)
    await _refuse_submodules(repository, before, after)
    moved = await _move(repository, ref, before, after, reason, filters=filters, dry_run=dry_run)
    return Landed(
        method=method,
        target=branch_name(ref),
        before=before,
        after=after,
        commits=commits,
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
            f"{_short(ref)} is not where the landing left it", hint="revert the commits instead"
        )
    reason = f"ctui: undo {landed.method}"
    return await _move(repository, ref, landed.after, landed.before, reason, filters=filters)


class _Landing:
    """One landing, up to the moment when something moves."""

    def __init__(
        self, repository: Repository, ref: str, branch: str, before: str, tip: str, message: str
    ) -> None:
        self.repository = repository
        self.ref = ref
        self.branch = branch
        self.before = before
        self.tip = tip
        self.message = message

    async def compute(
        self, method: Method, *, fast_forward: bool, dry_run: bool
    ) -> tuple[str, int]:
        """Return the target's new commit, already in the repository, and the count it brings."""
        own = await own_commits(self.repository, self.before, self.tip, linear=method == "rebase")
        if not own:
            raise Refused(
                f"{_short(self.ref)} has everything of {_short(self.branch)}",
                hint="there is nothing to land",
            )
        await fetch_for_merge(self.repository, self.before, self.tip)
        with merge_repository(self.repository) as place:
            after, commits = await self._combine(
                place, method, own, fast_forward=fast_forward, signed=not dry_run
            )
            if after != self.tip:
                await place.hand_over(self.repository, after, [self.before, self.tip])
        return after, commits

    async def _combine(
        self,
        place: MergeRepository,
        method: Method,
        own: list[tuple[str, str]],
        *,
        fast_forward: bool,
        signed: bool,
    ) -> tuple[str, int]:
        if method == "merge" and fast_forward and self._contains_target():
            return self.tip, len(own)
        who = await person(*self._committed_in())
        if not signed and who.signer is not None:
            who.signer.check()
            who = who._replace(signer=None)
        if method == "rebase":
            try:
                after, commits = await place.replay(own, self.before, who)
            except MergeConflict as conflict:
                hint = "let the task resolve it, then land it by merge or squash"
                raise explain(conflict, _short(self.ref), self.before, hint=hint) from conflict
            if after == self.before:
                raise self._nothing_added()
            return after, commits
        tree, files = await place.merge(self.before, self.tip)
        if files:
            found = MergeConflict(f"it conflicts with {_short(self.ref)}", files=files)
            hint = "let the task resolve it, then land it again"
            raise explain(found, _short(self.ref), self.before, hint=hint)
        if tree == place.tree_of(self.before):
            raise self._nothing_added()
        after = await make_commit(
            place.git,
            who,
            tree=tree,
            parents=[self.before] if method == "squash" else [self.before, self.tip],
            message=self._message(place, method, own),
        )
        return after, len(own)

    def _committed_in(self) -> tuple[Path, Path | None]:
        """Return git directory and files of where the person would make this commit by hand."""
        checkout = checkout_of(self.repository, self.ref)
        return checkout or (self.repository.common_dir, self.repository.work_tree)

    def _contains_target(self) -> bool:
        return bool(self.repository.git.descendant_of(self.tip, self.before))

    def _nothing_added(self) -> Refused:
        return Refused(
            f"every change of {_short(self.branch)} is in {_short(self.ref)}",
            hint="there is nothing to land",
        )

    def _message(self, place: MergeRepository, method: Method, own: list[tuple[str, str]]) -> bytes:
        if self.message:
            return message_bytes(self.message)
        name = branch_name(self.branch)
        if method == "merge":
            return message_bytes(f"Merge branch '{name}'")
        texts = [read_original(place.git, commit).text.strip() for commit, _ in own]
        if len(texts) == 1 and texts[0]:
            return message_bytes(texts[0])
        subjects = "".join(f"* {text.splitlines()[0] if text else ''}\n" for text in texts)
        return message_bytes(f"Squash branch '{name}'\n\n{subjects}")


async def _move(
    repository: Repository,
    ref: str,
    old: str,
    new: str,
    reason: str,
    *,
    filters: bool,
    dry_run: bool = False,
) -> bool:
    """Move a branch and the checkout that has it; return True if files of one followed."""
    checkout = checkout_of(repository, ref)
    if checkout is None:
        if dry_run:
            return False
        compare_and_swap(repository.common_dir, ref, old, new, reason)
        return False
    async with ref_transaction(checkout) as held:
        # Without this, a landing by somebody else would look like staged changes.
        if checkout.ref != ref or repository.resolve(ref) != old:
            raise Conflict(
                f"{_short(ref)} moved meanwhile", hint="look at it again, then try again"
            )
        await held.follow_files(old, new, filters=filters)
        if not dry_run:
            await held.move(ref, old, new, reason)
    return not dry_run


async def _refuse_submodules(repository: Repository, old: str, new: str) -> None:
    if changes := await gitlink_changes(repository.common_dir, old, new):
        raise Refused(
            f"it changes {told(changes)}",
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
            f"{_short(target)} is the worktree's own branch", hint="name another target"
        )
    return branch


def _target_ref(repository: Repository, name: str | None) -> str:
    chosen = name if name is not None else repository.default_branch()
    if chosen is None or f"refs/heads/{chosen}" not in repository.git.references:
        raise NotFound(
            f"there is no local branch {one_line(chosen or 'to land in')}",
            hint="name another target, or make it: git branch NAME origin/NAME",
        )
    return f"refs/heads/{chosen}"


def _short(ref: str) -> str:
    return one_line(branch_name(ref))
