"""Facts about a removal: what it takes, and what it leaves. Pure."""

from __future__ import annotations

from ctui.text import one_line
from ctui.tui.board.board import Item
from ctui.worktrees.model import WorktreeStatus

_EVIDENCE = 200


def removal_facts(item: Item | None) -> list[str]:
    """Return one line for each thing that goes or is kept."""
    facts = ["Its container is stopped, and it leaves the list."]
    if item is None or item.status is None:
        return [*facts, "Its worktree has not been looked at yet."]
    status = item.status
    facts.append(f"Its worktree {one_line(status.name, 60)} goes to the trash and can be restored.")
    if status.status == "unclean":
        facts.append(f"It is unclean: {losses(status)}.")
    elif status.evidence:
        facts.append(f"It is {status.status}: {one_line(status.evidence, _EVIDENCE)}.")
    facts.append(f"The branch {one_line(status.branch or '(detached)', 60)} stays.")
    return facts


def update_facts(item: Item) -> list[str]:
    """Return what an update brings, and what becomes of a conflict."""
    behind = item.status.behind if item.status is not None else 0
    new = f"{behind} commit{'' if behind == 1 else 's'}" if behind else "What is new"
    return [
        f"{new} of the target: merged into its branch and its files, or nothing is.",
        "If they conflict, its task is told to resolve it; uncommitted work is not touched.",
    ]


def losses(status: WorktreeStatus) -> str:
    """Return what is nowhere but in an unclean worktree and its branch."""
    parts = []
    if (changes := status.changes) is not None and changes.any:
        count = changes.staged + changes.modified + changes.untracked + changes.conflicted
        parts.append(f"{count} changed file{'' if count == 1 else 's'}")
    if status.verdict.kind in {"undone", "unmerged", "unknown"}:
        parts.append(one_line(status.verdict.evidence, _EVIDENCE))
    if status.state is not None:
        parts.append(f"in the middle of a {status.state}")
    if status.problem is not None:
        parts.append(status.problem)
    return ", ".join(parts) or "not proven safe"
