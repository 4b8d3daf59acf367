"""Words of a worktree's row: what happens there now, or what became of it. Pure.

Every text of a repository or a task is sanitised here.
"""

from __future__ import annotations

from typing import NamedTuple

from ctui.humanize import lines_text
from ctui.paths import WORKSPACE
from ctui.tasks.model import Ask, AskKind, Task, TaskState
from ctui.text import one_line
from ctui.tui.board.board import Group, Item
from ctui.worktrees.model import WorktreeStatus

_WIDTH = 160
_SHELL = "Bash: "


class Words(NamedTuple):
    """A piece of a row, and its colour."""

    text: str
    style: str = ""


def row_words(item: Item) -> list[Words]:
    """Return the pieces of a row behind its name, the most important ones first."""
    found = [*_warnings(item), *_happens(item)]
    return [words._replace(text=one_line(words.text, _WIDTH)) for words in found if words.text]


def _warnings(item: Item) -> list[Words]:
    task, found = item.task, []
    if task is not None and task.alarm_count:
        found.append(Words(f"alarms {task.alarm_count}", "bold $error"))
    if task is not None and task.unread_notes:
        urgent = any(note.urgent for note in task.unread_notes)
        found.append(Words("✉", "bold $warning" if urgent else "$accent"))
    if item.status is not None and item.status.problem:
        found.append(Words(item.status.problem, "$error"))
    return found


def _happens(item: Item) -> list[Words]:
    task = item.task
    if item.ask is not None:
        more = f"{item.asks} asks: " if item.asks > 1 else ""
        return [Words(more + ask_words(item.ask), "$warning")]
    if task is None:
        return [_finished(item)]
    if item.failed:
        return [Words(task.problem or "failed", "$error")]
    if task.state is TaskState.WAITING:
        return [Words(task.problem or "waits for you", "$warning")]
    if task.works:
        return [Words(doing_words(task), "$primary")]
    return [Words(task.problem, "$warning"), _finished(item)]


def ask_words(ask: Ask) -> str:
    """Return what is asked, without the name of a tool that its words make plain."""
    title = ask.title.replace(f"{WORKSPACE}/", "")
    return title.removeprefix(_SHELL) if ask.kind is AskKind.PERMISSION else title


def doing_words(task: Task) -> str:
    """Return what a task does: `2/4 Replace them`, the call that runs, or its state."""
    if not task.state.live:
        more = f" and {len(task.background) - 1} more" if len(task.background) > 1 else ""
        return f"runs {task.background[0].command}{more}" if task.background else ""
    if task.state is not TaskState.RUNNING:
        return str(task.state)
    return task.activity.doing.removeprefix(_SHELL) or "thinks"


def _finished(item: Item) -> Words:
    """Return what is there now: changes, else the task's last words while they are unread."""
    if item.status is not None and item.group in {Group.MERGED, Group.CLEAN}:
        return Words(item.status.evidence, "$text-muted")
    changes = changes_text(item.status)
    if item.group is Group.NEW and item.task is not None and not changes:
        return Words(f'"{item.task.result}"' if item.task.result else "done", "")
    return Words(changes, "$text-muted")


def changes_text(status: WorktreeStatus | None) -> str:
    """Return `+200 -3 in 2 files, 1 uncommitted, conflicts`; "" where nothing is known."""
    if status is None:
        return ""
    parts = []
    lines = lines_text(status.added, status.removed)
    if lines or status.files:
        count = status.files
        where = f"in {count} file{'' if count == 1 else 's'}" if count else ""
        parts.append(f"{lines} {where}".strip())
    elif status.ahead and status.status == "unclean":
        parts.append(f"{status.ahead} commit{'' if status.ahead == 1 else 's'}")
    if (changes := status.changes) is not None and changes.any:
        count = changes.staged + changes.modified + changes.untracked
        if count:
            parts.append(f"{count} uncommitted")
        if changes.conflicted:
            parts.append(f"{changes.conflicted} in conflict")
    if status.state is not None:
        parts.append(f"in the middle of a {status.state}")
    if status.conflict:
        parts.append("conflicts")
    return ", ".join(parts)
