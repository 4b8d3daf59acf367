"""A pane's header and the tabs, as content. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from ctui.claude.protocol.silence import silence_text
from ctui.humanize import compact, duration
from ctui.tasks.model import Task, TaskState
from ctui.text import one_line
from ctui.tui.board.item_content import task_mark

_STATE_COLOURS = {
    TaskState.RUNNING: "$primary",
    TaskState.STARTING: "$primary",
    TaskState.QUEUED: "$text-muted",
    TaskState.WAITING: "bold $warning",
    TaskState.IDLE: "$success",
    TaskState.ENDED: "$text-muted",
}


def pane_header(task: Task, asks: int, now: int, *, silent: int = 0) -> Content:
    """Return a line such as `fix-login · opus · default · waiting 41 s · 48k tokens · $0.31`.

    Args:
        task: as the driver last said.
        asks: how many of its asks are pending.
        now: nanoseconds since the epoch.
        silent: for how many seconds the model has said nothing.
    """
    state = str(task.state)
    if task.reason is not None:
        state = f"{task.state} ({task.reason})"
    elif asks:
        state = "waiting"
    elif task.state.live and task.updated:
        state = f"{task.state} {duration(max(0, now - task.updated) / 1e9)}"
    parts: list[tuple[str, str]] = [(one_line(task.id, 40), "bold")]
    if task.options.model:
        parts.append((one_line(task.options.model, 30), ""))
    mode = "no questions" if task.options.skip_permissions else task.options.permission_mode
    parts.append((mode, "$error" if task.options.skip_permissions else "$text-muted"))
    if task.options.approval_tool:
        parts.append((f"asks go to {one_line(task.options.approval_tool, 60)}", "$warning"))
    parts.append((state, _STATE_COLOURS[task.state]))
    parts += _unusual(task, now)
    if task.state.live and (said := silence_text(silent)):
        parts.append((said, "$warning"))
    if tokens := task.input_tokens + task.output_tokens:
        parts.append((f"{compact(tokens)} tokens", "$text-muted"))
    parts.append((f"${task.cost:.2f}", "$text-muted"))
    if task.work is not None and task.work.branch in {"advanced", "diverged"}:
        colour = "$error" if task.work.branch == "diverged" else "$success"
        parts.append((f"branch {task.work.branch}", colour))
    header = Content.assemble(*joined(parts))
    if task.problem:
        return Content("\n").join([header, Content.styled(one_line(task.problem, 300), "$error")])
    return header


def _unusual(task: Task, now: int) -> list[tuple[str, str]]:
    """Return what it listens on, alarms, and what still runs although the turn is over."""
    parts: list[tuple[str, str]] = []
    if task.network == "unsealed" and task.state.live:
        parts.append(("unsealed", "bold $error"))
    if ports := task.shown_ports:  # until its sandbox is gone, also behind a turn that is over
        parts.append((f"port {', '.join(map(task.port_text, ports[:4]))}", "$primary"))
    if task.alarm_count:
        count = "1 alarm" if task.alarm_count == 1 else f"{task.alarm_count} alarms"
        parts.append((count, "bold $error"))
    if task.background:
        since = duration(max(0, now - min(one.since for one in task.background)) / 1e9)
        name = one_line(task.background[0].command, 40)
        more = f" and {len(task.background) - 1} more" if len(task.background) > 1 else ""
        parts.append((f"runs {name}{more} {since}", "$primary"))
    return parts


def tab_labels(tasks: Sequence[Task], asks: Sequence[int], width: int = 10_000) -> list[Content]:
    """Return a label for each task, in order: `1 ▶ fix-login`. All of them fit; names give way."""
    room = max(1, min(24, width // max(1, len(tasks)) - 6))
    labels: list[Content] = []
    for number, (task, asked) in enumerate(zip(tasks, asks, strict=True), 1):
        mark, colour = task_mark(task, asked) or ("○", "$text-muted")
        name = one_line(task.id, room)
        labels.append(Content.assemble((f" {number} ", "dim"), (f"{mark} ", colour), f"{name} "))
    return labels


def joined(parts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parts with a gap between each two."""
    found: list[tuple[str, str]] = []
    for part in parts:
        found += [part, ("  ", "")] if part is not parts[-1] else [part]
    return found
