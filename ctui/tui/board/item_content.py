"""A worktree's line in the list, and its card, as content. Pure.

Colours are theme variables; every text of a repository or a task is sanitised and never markup.
"""

from __future__ import annotations

from textual.content import Content

from ctui.humanize import lines_text
from ctui.tasks.model import EndReason, Task, TaskState
from ctui.text import one_line
from ctui.tui.board.board import Group, Item
from ctui.worktrees.model import WorktreeStatus

_NAME_WIDTH = 18
_LEAST_NAME = 10

_GROUP_COLOURS = {
    Group.NEEDS_YOU: "bold $warning",
    Group.RUNNING: "bold $primary",
    Group.REVIEW: "bold $accent",
}


def group_heading(group: Group, count: int) -> Content:
    return Content.assemble(
        (f"{group} ", _GROUP_COLOURS.get(group, "bold $text-muted")), (str(count), "dim")
    )


def item_line(item: Item, width: int) -> Content:
    """Return `▶ fix-login   asks 1 ~3 +1 ↑2` in `width` cells: the name gives way first."""
    mark, colour = item_mark(item)
    facts: list[tuple[str, str]] = []
    if item.asks:
        facts.append((f"asks {item.asks}", "bold $warning"))
    if item.task is not None and item.task.alarm_count:
        facts.append((f"alarms {item.task.alarm_count}", "bold $error"))
    if item.status is not None and item.status.problem:
        facts.append((item.status.problem, "$error"))
    if marks := change_marks(item.status):
        facts.append((marks, "$text-muted"))
    room = width - 3 - sum(len(text) + 1 for text, _ in facts)
    room = max(_LEAST_NAME, room)
    name = one_line(item.name, room).ljust(min(_NAME_WIDTH, room))
    parts = [(f"{mark} ", colour), (name, "")]
    for fact in facts:
        parts += [(" ", ""), fact]
    return Content.assemble(*parts).truncate(width, ellipsis=True)


def item_mark(item: Item) -> tuple[str, str]:
    """Return one character that says how it stands, and its colour."""
    if item.task is not None and (found := task_mark(item.task, item.asks)) is not None:
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
    return ("▶", "$primary") if task.background else None


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
            ("n", "bold $primary"),
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
