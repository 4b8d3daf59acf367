"""A task's record beside its journal: what the store is rebuilt from when it is lost."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ctui.errors import Unavailable
from ctui.files import replace_file
from ctui.small_file import read_small_file
from ctui.tasks.model import Task

FILE_NAME = "task.json"
_LIMIT = 16 << 20


def write_task_file(folder: Path, task: Task) -> None:
    """Write the record of a task into its folder, whole or not at all, also in a power cut.

    One writer at a time: two would take the same unfinished file.

    Raises:
        Unavailable: the disk is full, or the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(folder / FILE_NAME, msgspec.json.encode(task), suffix="new")
    except OSError as error:
        raise Unavailable(
            f"{folder / FILE_NAME} cannot be written: {error.strerror}",
            hint="free some space or make the folder writable",
        ) from error


def read_task_file(folder: Path) -> Task | None:
    """Return the record of the task whose folder this is; None where none can be read."""
    try:
        data = read_small_file(folder / FILE_NAME, _LIMIT, follow_links=False)
        task = msgspec.json.decode(data, type=Task)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
    return task if task.id == folder.name else None
