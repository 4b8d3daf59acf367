"""Ids of tasks, and a new task's first record."""

from __future__ import annotations

import re
import uuid
from collections.abc import Set as AbstractSet
from pathlib import PurePath

from ctui.errors import Conflict, InvalidInput
from ctui.tasks.calls import StartTask
from ctui.tasks.model import Task
from ctui.tasks.store import now

TASK_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,49}")
"""Name that containers, volumes, refs and folders can all have."""


def is_task_id(name: str) -> bool:
    """Tell if this can be a task's id."""
    usable = not name.endswith((".", ".lock")) and ".." not in name
    return usable and TASK_ID.fullmatch(name) is not None


def is_uuid(text: str) -> bool:
    """Return True for a UUID as everybody writes it."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def check_task_id(task: str) -> None:
    """Raise InvalidInput unless this can be a task's id."""
    if not is_task_id(task):
        raise InvalidInput(
            f"{task[:60]!r} cannot be a task's id",
            hint="use up to 50 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit",
        )


def free_task_id(call: StartTask, taken: AbstractSet[str]) -> str:
    """Return the wanted id, or one after the worktree's name that was never used.

    Raises:
        InvalidInput, Conflict: the wanted id cannot be had.
    """
    if call.task:
        check_task_id(call.task)
        if call.task in taken:
            raise Conflict(f"there was a task {call.task} already", hint="choose another --task-id")
        return call.task
    name = re.sub(r"[^a-z0-9_-]+", "-", PurePath(call.worktree).name.lower()).strip("-_")[:44]
    name = name or "task"
    number = 1
    while (candidate := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return candidate


def new_task(call: StartTask, task_id: str) -> Task:
    time = now()
    return Task(
        id=task_id,
        repository=call.repository,
        worktree=call.worktree,
        directory=call.directory,
        metadata=call.metadata,
        branch=call.branch,
        base=call.base,
        session=str(uuid.uuid4()),
        prompt=call.prompt,
        network=call.options.network or "unsealed",
        options=call.options,
        created=time,
        updated=time,
        detached=call.detached,
    )
