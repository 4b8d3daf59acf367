"""A worktree's line in the list, and its card, as content. Pure.

Colours are theme variables; every text of a repository or a task is sanitised and never markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from ctui.humanize import lines_text, short_age
from ctui.tasks.model import EndReason, Task, TaskState
from ctui.text import one_line
from ctui.tui.board.board import Group, Item
from ctui.tui.board.row_words import row_words
from ctui.worktrees.model import WorktreeStatus

_LEAST_NAME = 10
_NAME_SHARE = 0.42
"""Of a row, that names take at most: what happens matters more than the end of a long name."""

_GROUP_COLOURS = {
    Group.NEEDS_YOU: "bold $warning",
    Group.NEW: "bold $success",
    Group.WORKING: "bold $primary",
    Group.REVIEW: "bold $accent",
}


def group_heading(group: Group, count: int) -> Content:
    return Content.assemble(
        (f"{group} ", _GROUP_COLOURS.get(group, "bold $text-muted")), (str(count), "dim")
    )


def fold_line(counts: Mapping[Group, int], *, folded: bool) -> Content:
    """Return `▸ 10 merged · 11 clean`, a row that shows those, or hides them again."""
    words = " · ".join(f"{count} {group.lower()}" for group, count in counts.items() if count)
    return Content.assemble(("▸ " if folded else "▾ ", "$primary"), (words, "$text-muted"))


def name_width(items: Iterable[Item], width: int) -> int:
    """Return the cells of the column of names, for rows of so many cells."""
    longest = max((cell_len(one_line(item.name, width)) for item in items), default=0)
    return max(min(longest, int(width * _NAME_SHARE)), min(longest, _LEAST_NAME))


def item_line(item: Item, width: int, now: int = 0, names: int | None = None) -> Content:
    """Return a row such as `? fix-login   edit src/login.py    6m` in `width` cells.

    Args:
        item: the worktree.
        width: cells of the row.
        now: nanoseconds since the epoch.
        names: cells of its name; None takes what it needs.
    """
    mark, colour = item_mark(item)
    names = name_width([item], width) if names is None else names
    age = short_age(item.since, now) if item.since and now else ""
    room = max(0, width - 2 - names - 1 - (len(age) + 1 if age else 0))
    pieces: list[tuple[str, str] | str] = []
    for words in row_words(item):
        pieces += [words, " "]
    said = Content.assemble(*pieces[:-1]).truncate(room, ellipsis=True)
    parts = [Content.assemble((f"{mark} ", colour), elided(item.name, names), " "), said]
    if age:
        gap = " " * max(1, width - sum(part.cell_length for part in parts) - len(age))
        parts.append(Content.assemble(gap, (age, "$text-muted")))
    return Content("").join(parts).truncate(width, ellipsis=True)


def elided(name: str, width: int) -> str:
    """Return a name in exactly so many cells: the middle of a long one is left out.

    Names of one job often differ in their last characters only.
    """
    name = one_line(name, 4 * width)
    if cell_len(name) > width:
        tail = (width - 1) // 3
        end = name[-tail:] if tail else ""
        while cell_len(end) > tail:
            end = end[1:]
        name = f"{set_cell_size(name, width - 1 - cell_len(end)).rstrip()}…{end}"
    return set_cell_size(name, width)


def item_mark(item: Item) -> tuple[str, str]:
    """Return one character that says how it stands, and its colour."""
    worth_it = item.group in {Group.NEEDS_YOU, Group.NEW, Group.WORKING}
    if worth_it and item.task and (found := task_mark(item.task, item.asks)) is not None:
        return found
    if item.group is Group.MERGED:
        return "✓", "$success"
    if item.status is not None and item.status.problem:
        return "!", "$error"
    return ("○", "$accent") if item.group is Group.REVIEW else ("·", "$text-muted")


def task_mark(task: Task, asks: int) -> tuple[str, str] | None:
    """Return the same for a task, or None where its worktree says more."""
    if asks or task.state is TaskState.WAITING:
        return "?", "bold $warning"
    if task.reason is EndReason.FAILED or (task.failed and not task.state.live):
        return "✗", "$error"
    match task.state:
        case TaskState.RUNNING:
            return "▶", "$primary"
        case TaskState.QUEUED | TaskState.STARTING:
            return "◌", "$primary"
    if task.background:
        return "▶", "$primary"
    return ("●", "$success") if task.unread else None


def change_marks(status: WorktreeStatus | None) -> str:
    """Return `+1 ~3 ?2 !1 ↑2 ↓5`: staged, modified, untracked, in conflict; ahead and behind."""
    if status is None:
        return ""
    changes = status.changes
    numbers = {"↑": status.ahead, "↓": status.behind}
    if changes is not None:
        numbers = {
            "+": changes.staged,
            "~": changes.modified,
            "?": changes.untracked,
            "!": changes.conflicted,
            **numbers,
        }
    return " ".join(f"{mark}{number}" for mark, number in numbers.items() if number)


def landing_text(status: WorktreeStatus) -> str:
    """Return what landing it would bring: `+12 -3 lines, conflicts`; "" if nothing is known."""
    lines = lines_text(status.added, status.removed)
    parts = (f"{lines} lines" if lines else "", "conflicts" if status.conflict else "")
    return ", ".join(part for part in parts if part)


def worktree_card(item: Item) -> Content:
    """Return what is known of a worktree that no task works on."""
    lines: list[Content] = [Content.styled(one_line(item.name, 60), "bold"), Content("")]
    status = item.status
    facts = {"path": item.path}
    if status is not None:
        facts |= {
            "branch": status.branch or "(detached)",
            "status": status.problem or status.status,
            "evidence": status.evidence,
            "changes": change_marks(status) or "none",
            "landing": landing_text(status),
            "upstream": f"{status.upstream.name or '-'} ({status.upstream.state})",
        }
        if status.state:
            facts["state"] = f"in the middle of a {status.state}"
        if status.locked is not None:
            facts["locked"] = status.locked or "yes"
    else:
        facts["status"] = "being looked at"
    for name, value in facts.items():
        if value:
            lines.append(Content.assemble((f"{name:<10}", "$text-muted"), one_line(value, 200)))
    lines += [
        Content(""),
        Content.assemble(
            ("N", "bold $primary"),
            (" starts a task here   ", "$text-muted"),
            ("c", "bold $primary"),
            (" cleans up", "$text-muted"),
        ),
        Content.styled(f"ctui worktree diff {one_line(item.name, 60)}", "$text-muted"),
        Content.styled(f"ctui worktree land {one_line(item.name, 60)}", "$text-muted"),
    ]
    return Content("\n").join(lines)


def nothing_here() -> Content:
    """Return what a repository without worktrees shows."""
    return Content.assemble(
        "No worktrees yet.\n\n",
        ("n", "bold $primary"),
        (" starts the first task, in a worktree of its own", "$text-muted"),
    )
