"""Facts about a removal: what it takes, and what it leaves. Pure."""

from __future__ import annotations

from ctui.text import one_line
from ctui.tui.board.board import Item


def removal_facts(item: Item | None) -> list[str]:
    """Return one line for each thing that goes or is kept."""
    facts = ["Its container is stopped, and it leaves the list."]
    if item is None or item.status is None:
        return [*facts, "Its worktree has not been looked at yet."]
    status = item.status
    facts.append(f"Its worktree {one_line(status.name, 60)} goes to the trash and can be restored.")
    if status.status == "unclean":
        changed = status.changes
        count = (
            sum((changed.staged, changed.modified, changed.untracked, changed.conflicted))
            if changed
            else 0
        )
        facts.append(
            f"It is unclean: {count} changed files, {status.ahead} commits not in the target."
        )
    facts.append(f"The branch {one_line(status.branch or '(detached)', 60)} stays.")
    return facts
