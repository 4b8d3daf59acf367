"""A review as data, with all of its lines: what programs read."""

from __future__ import annotations

from typing import Literal

import msgspec

from ctui.client.review.reviewing import PlacedThread, Review
from ctui.tasks.threads import Remark, Side
from ctui.worktrees.review.comparison import ChangedFile, Status, name_of, patches, remarks
from ctui.worktrees.review.hunks import Hunk, Patch


class ReviewedHunk(msgspec.Struct, frozen=True):
    """A piece of a file around changes."""

    old_start: int
    new_start: int
    heading: str
    lines: list[str]
    """Each begins with ` `, `-` or `+`."""


class ReviewedFile(msgspec.Struct, frozen=True):
    """A file that differs."""

    path: str
    old_path: str
    status: Status
    added: int | None
    """Lines; None if it is binary, or too large to be compared."""
    removed: int | None
    old_mode: str
    new_mode: str
    content: str
    """Object id of what it is now; of a deleted file of what it was."""
    read: bool
    """The person has read it as it is now."""
    remarks: list[str]
    """In words what lines do not show."""
    hunks: list[ReviewedHunk]


class ReviewThread(msgspec.Struct, frozen=True):
    """A comment on lines, and what was said to it."""

    number: int
    path: str
    side: Side
    first: int
    """Line that the comment was on first; `now` is where that is in what is compared."""
    last: int
    now: int
    state: Literal["here", "moved", "gone"]
    resolved: bool
    quote: list[str]
    commit: str
    remarks: list[Remark]


class ReviewedWorktree(msgspec.Struct, frozen=True):
    """Result of `worktree review`."""

    worktree: str
    branch: str | None
    scope: str
    title: str
    old: str
    """Commit or tree that is compared with `new`."""
    new: str
    left_out: int
    """Number of paths that are in neither: too large, or not a file, such as a socket."""
    files: list[ReviewedFile]
    threads: list[ReviewThread]


async def report(review: Review, *, with_hunks: bool = True) -> ReviewedWorktree:
    """Return a whole review. Raises CtuiError if git cannot read it."""
    read = await patches(review.compared.trees, review.files) if with_hunks else {}
    return ReviewedWorktree(
        worktree=review.reviewed.worktree.name,
        branch=review.reviewed.worktree.branch,
        scope=str(review.scope),
        title=review.compared.title,
        old=review.compared.trees.old,
        new=review.compared.trees.new,
        left_out=review.compared.left_out,
        files=[_file(review, file, read.get(file.path, Patch())) for file in review.files],
        threads=[thread_of(placed) for placed in review.threads],
    )


def thread_of(placed: PlacedThread) -> ReviewThread:
    """Return a thread as data."""
    thread, anchor = placed.thread, placed.anchor
    return ReviewThread(
        number=thread.id,
        path=placed.path,
        side=thread.side,
        first=thread.first,
        last=thread.last,
        now=anchor.first,
        state=anchor.state,
        resolved=thread.resolved is not None,
        quote=list(thread.quote),
        commit=thread.commit,
        remarks=list(thread.remarks),
    )


def _file(review: Review, file: ChangedFile, patch: Patch) -> ReviewedFile:
    return ReviewedFile(
        path=file.name,
        old_path=name_of(file.old_path),
        status=file.status,
        added=file.added,
        removed=file.removed,
        old_mode=file.old_mode,
        new_mode=file.new_mode,
        content=file.content,
        read=review.is_read(file),
        remarks=remarks(file, patch),
        hunks=[_hunk(hunk) for hunk in patch.hunks],
    )


def _hunk(hunk: Hunk) -> ReviewedHunk:
    return ReviewedHunk(
        hunk.old_start,
        hunk.new_start,
        hunk.heading.decode("utf-8", "replace"),
        [line.mark + line.text.decode("utf-8", "replace") for line in hunk.lines],
    )
