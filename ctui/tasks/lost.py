"""Tasks that the store has lost, found again by what lies in their folders.

The journal holds what the CLI wrote, which the task can write as well: nothing of it decides where
a task works. That is in the record beside it, which only the driver writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.claude.protocol.content import Text
from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import Init, Result, UserMessage
from ctui.errors import Unavailable
from ctui.paths import Paths
from ctui.tasks.journal.archive import FILE_NAME, read_entries
from ctui.tasks.journal.task_file import FILE_NAME as TASK_FILE
from ctui.tasks.journal.task_file import read_task_file
from ctui.tasks.model import EndReason, Message, Run, Task, TaskState
from ctui.tasks.naming import is_task_id, is_uuid
from ctui.tasks.session import results

_TOLD_BY_RESULTS = (
    "turns",
    "cost",
    "input_tokens",
    "output_tokens",
    "denials",
    "result",
    "problem",
    "cause",
    "unanswered",
    "updated",
)
"""Fields of a task that its journal tells as well."""


class LostTask(NamedTuple):
    """Record of a task, made from what is left of it."""

    task: Task
    messages: tuple[Message, ...]
    """The person's messages that the CLI has taken."""
    runs: int
    """The number of its newest run that the journal knows."""
    located: bool
    """True if it is known where the task works."""


def folders_of_tasks(paths: Paths) -> set[str]:
    """Return the id of every task that has a folder with a record or a journal."""
    folder = paths.state / "tasks"
    try:
        found = [path for path in folder.iterdir() if is_task_id(path.name)]
    except OSError:
        return set()
    return {
        path.name
        for path in found
        if any((path / name).is_file() for name in (FILE_NAME, TASK_FILE))
    }


def lost_tasks(paths: Paths, known: Collection[str]) -> list[str]:
    """Return the ids of the tasks whose folder is there, and whose row is not; sorted."""
    return sorted(folders_of_tasks(paths) - set(known))


def rebuild_task(paths: Paths, task_id: str) -> LostTask:
    """Return what a task's folder still tells of it, as a task that ended."""
    folder = paths.task(task_id)
    recorded = read_task_file(folder)
    found = _from_journal(folder, task_id)
    if recorded is None:
        return found
    task = recorded
    if found.task.turns > task.turns:
        # The record is written a moment later, which a driver that was killed did not have.
        task = msgspec.structs.replace(
            task, **{name: getattr(found.task, name) for name in _TOLD_BY_RESULTS}
        )
    if task.state is not TaskState.ENDED:
        task = msgspec.structs.replace(task, state=TaskState.ENDED, reason=EndReason.STOPPED)
    return found._replace(task=task, located=True)


def nowhere(folder: Path, name: str) -> str:
    """Return a path that nothing has, for what is not known."""
    return str(folder / f"no-{name}")


def _from_journal(folder: Path, task_id: str) -> LostTask:
    task = Task(
        id=task_id,
        repository=nowhere(folder, "repository"),
        worktree=nowhere(folder, "worktree"),
        metadata=None,
        branch=None,
        base=None,
        session=str(uuid.uuid4()),
        prompt="",
        state=TaskState.ENDED,
        reason=EndReason.STOPPED,
    )
    messages: dict[str, Message] = {}
    runs = 0
    run = _run(task, 0)
    try:
        for entry in read_entries(folder / FILE_NAME):
            runs = max(runs, entry.run)
            if entry.run != run.number:
                run = _run(task, entry.run)
            task.created = task.created or entry.t
            task.updated = max(task.updated, entry.t)
            if entry.stream != "out":
                continue
            match decode(entry.line):
                case Init(session=session) if is_uuid(session):
                    task.session = session
                case UserMessage(is_replay=True) as said if is_uuid(said.uuid):
                    text = "".join(b.text for b in said.blocks if isinstance(b, Text))
                    messages[said.uuid] = Message(
                        id=said.uuid, task=task_id, text=text, created=entry.t, delivered=entry.t
                    )
                case Result() as result:
                    results.apply(result, task, run, rejected="")
                case _:
                    pass
    except Unavailable as error:
        task.problem, task.cause = error.message, "store"
    task.prompt = next((message.text for message in messages.values()), "")
    return LostTask(task, tuple(messages.values()), runs, located=False)


def _run(task: Task, number: int) -> Run:
    return Run(task=task.id, number=number, container="", created=0, cost_before=task.cost)
