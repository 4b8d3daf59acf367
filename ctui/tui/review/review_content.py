"""Words above and in place of what changed. Pure."""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from ctui.client.review.reviewing import Review
from ctui.humanize import lines_text


class Facts(NamedTuple):
    """Facts that the line above a review shows."""

    read: int
    unsent: int
    uncommitted: int
    moved: bool
    """True if the worktree has other commits now."""


def title(name: str, review: Review | None, facts: Facts) -> Content:
    """Return the line above a review; `name` is sanitised."""
    parts: list[str | tuple[str, str]] = [(f" {name} ", "bold")]
    if review is None:
        return Content.assemble(*parts)
    added = sum(file.added or 0 for file in review.files)
    removed = sum(file.removed or 0 for file in review.files)
    count = len(review.files)
    parts.append((f" {review.compared.title} ", "$text-muted"))
    if count:
        parts.append(f" {count} file{'' if count == 1 else 's'}")
        for text, colour in zip(
            (lines_text(added, 0), lines_text(0, removed)),
            ("$success", "$error"),
            strict=True,
        ):
            parts.append((f" {text}" if text else "", colour))
    if facts.read:
        parts.append((f"  {facts.read} read", "$text-muted"))
    if facts.unsent:
        parts.append((f"  {facts.unsent} to send: S", "$warning"))
    if facts.uncommitted:
        files = "file" if facts.uncommitted == 1 else "files"
        parts.append((f"  {facts.uncommitted} {files} not committed", "$warning"))
    if review.compared.left_out:
        parts.append((f"  {_left_out(review)}", "bold $warning"))
    if facts.moved:
        parts.append(("  new commits: r", "bold $warning"))
    return Content.assemble(*parts)


def nothing(review: Review) -> Content:
    """Return what is said where no file differs."""
    beside = f"{_left_out(review)}.\n\n" if review.compared.left_out else ""
    return Content.assemble(
        ("Nothing differs", "bold"),
        f": {review.compared.title}.\n\n",
        (beside, "$warning"),
        ("v", "bold $primary"),
        (" looks at something else: what is uncommitted, one commit", "$text-muted"),
    )


def _left_out(review: Review) -> str:
    return f"{review.compared.left_out} left out: too large, or not a file"
