"""The commit of a landing, computed in a scratch repository before anything is moved."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ctui.errors import Refused
from ctui.git.repository.partial import fetch_for_merge
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.landing.checkouts import branch_name, checkout_of
from ctui.worktrees.landing.commit_objects import make_commit, message_bytes, person, read_original
from ctui.worktrees.landing.merge_plan import (
    MergeConflict,
    MergeRepository,
    explain,
    merge_repository,
    own_commits,
)

Method = Literal["merge", "squash", "rebase"]


def shown_branch(ref: str) -> str:
    """Return a branch's short name, safe to show."""
    return one_line(branch_name(ref))


class Landing:
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
                f"{shown_branch(self.ref)} has everything of {shown_branch(self.branch)}",
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
        if not signed:
            who = who.unsigned()
        if method == "rebase":
            try:
                after, commits = await place.replay(own, self.before, who)
            except MergeConflict as conflict:
                hint = "let the task resolve it, then land it by merge or squash"
                raise explain(
                    conflict, shown_branch(self.ref), self.before, hint=hint
                ) from conflict
            if after == self.before:
                raise self._nothing_added()
            return after, commits
        tree, files = await place.merge(self.before, self.tip)
        if files:
            found = MergeConflict(f"it conflicts with {shown_branch(self.ref)}", files=files)
            hint = "let the task resolve it, then land it again"
            raise explain(found, shown_branch(self.ref), self.before, hint=hint)
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
            f"every change of {shown_branch(self.branch)} is in {shown_branch(self.ref)}",
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
