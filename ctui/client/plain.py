"""A task's journal as plain lines, and whether its turn is over."""

from __future__ import annotations

import msgspec

from ctui.claude.events import is_partial
from ctui.claude.summary import describe
from ctui.tasks.journal import Entry
from ctui.tasks.model import Notice, Task, TaskState
from ctui.text import sanitise


def plain_lines(entry: Entry) -> list[str]:
    """What a person reads of one journal line, sanitised; often nothing."""
    if entry.stream == "ctui":
        return _notice(entry.line)
    if entry.stream == "err":
        relay = entry.line.startswith('{"ctui_relay"')
        return [] if relay else [f"! {sanitise(entry.line)}"]
    return [] if is_partial(entry.line[:64].encode()) else describe(entry.line)


def turn_over(task: Task) -> bool:
    """Whether nothing more happens until the person says something."""
    if task.state is TaskState.WAITING:
        return bool(task.problem)
    # A task whose sandbox stops with its turn is idle for the moment until it has stopped.
    return task.state is TaskState.ENDED or (task.state is TaskState.IDLE and task.detached)


def _notice(line: str) -> list[str]:
    notice = msgspec.json.decode(line, type=Notice)
    return [] if notice.kind in {"started", "ended"} else [f"* {sanitise(notice.text)}"]
