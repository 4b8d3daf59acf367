"""A task and its asks as the API shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from ctui.sandbox.named_ports import named_port
from ctui.tasks.asks.shape import ask_members
from ctui.tasks.model import Ask, AskState, EndReason, Task, TaskState
from ctui.tasks.store import Store
from ctui.web.shapes import (
    AskView,
    Port,
    Status,
    TaskRecord,
    TaskSummary,
    TaskUpdate,
)

_PROMPT_WIDTH = 120


def status_of(task: Task, *, untold: bool = False) -> Status:
    """Return the HTTP API's word for where a task stands.

    A turn that failed is an `error` also while its conversation goes on, as its exit code says.

    Args:
        task: whose.
        untold: whether a message waits that it has not read: then its turn is not over yet.
    """
    if task.state.live or (task.state is TaskState.IDLE and untold):
        return "running"
    if task.reason is EndReason.STOPPED:
        return "killed"
    return "error" if task.problem or task.reason is EndReason.FAILED else "completed"


def current_status(store: Store, task: Task) -> Status:
    return status_of(
        task, untold=task.state is TaskState.IDLE and bool(store.messages.undelivered(task.id))
    )


def seconds(nanoseconds: int) -> float:
    return nanoseconds / 1e9


def ask_view(ask: Ask) -> AskView:
    return AskView(
        ask_id=ask.id,
        task_id=ask.task,
        input=msgspec.Raw(bytes(ask.input)),
        created_at=seconds(ask.created),
        **ask_members(ask),
    )


def task_summary(store: Store, task: Task) -> TaskSummary:
    return TaskSummary(
        task_id=task.id,
        prompt=task.prompt[:_PROMPT_WIDTH],
        status=current_status(store, task),
        created_at=seconds(task.created),
        state=task.state,
        doing=task.doing,
        unread=task.unread,
    )


def task_update(store: Store, task: Task) -> TaskUpdate:
    return TaskUpdate(
        task_id=task.id,
        status=current_status(store, task),
        state=task.state,
        reason=task.reason,
        problem=task.problem,
        turns=task.turns,
        cost_usd=task.cost,
        updated_at=seconds(task.updated),
        pending_asks=[ask.id for ask in store.asks.list(AskState.PENDING, task=task.id)],
        doing=task.doing,
        unread=task.unread,
        todos=list(task.activity.todos),
    )


def record_fields(store: Store, task: Task, *, turn_end: int | None = None) -> dict[str, Any]:
    """Return the fields of a `TaskRecord`.

    Args:
        store: for what is asked.
        task: whose.
        turn_end: when its last turn ended, in nanoseconds, where that is known.
    """
    status = current_status(store, task)
    over = status != "running"
    return {
        "task_id": task.id,
        "session_id": task.session,
        "prompt": task.prompt,
        "workdir": str(Path(task.repository).parent),
        "worktree": task.worktree,
        "directory": task.directory,
        "branch": task.branch,
        "status": status,
        "state": task.state,
        "reason": task.reason,
        "problem": task.problem,
        "created_at": seconds(task.created),
        "finished_at": seconds(turn_end or task.updated) if over else UNSET,
        "killed_at": seconds(task.updated) if status == "killed" else UNSET,
        "tmux_session": f"claude-{task.id}",
        "turns": task.turns,
        "cost_usd": task.cost,
        "result": task.result,
        "variables": list(task.options.env),
        "secrets": list(task.options.secrets),
        "files": list(task.options.files),
        "network": task.network,
        "allow_hosts": list(task.options.allow_hosts),
        "doing": task.doing,
        "unread": task.unread,
        "todos": list(task.activity.todos),
        "ports": [_port(task, port) for port in task.ports],
        "pending_asks": [ask_view(ask) for ask in store.asks.list(AskState.PENDING, task=task.id)],
    }


def _port(task: Task, port: int) -> Port:
    said = named_port(port, task.options.named_ports)
    return Port(port, said.label, "https" if said.tls else "http", said.hidden)


def task_record(store: Store, task: Task) -> TaskRecord:
    return TaskRecord(**record_fields(store, task))
