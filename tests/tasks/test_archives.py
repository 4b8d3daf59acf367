"""The archives of all tasks, and the records beside them."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ctui.paths import Paths
from ctui.redaction.redactor import Redactor
from ctui.tasks.journal import archives as module
from ctui.tasks.journal.archives import Journals
from ctui.tasks.journal.task_file import read_task_file, write_task_file
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store


def _task(state: TaskState, prompt: str = "go") -> Task:
    return Task(
        id="one",
        repository="r",
        worktree="w",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt=prompt,
        state=state,
    )


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environment({"CTUI_HOME": str(tmp_path)})


@pytest.fixture
def journals(paths: Paths) -> Journals:
    return Journals(paths, Store(":memory:"), Redactor(()))


async def test_an_end_is_kept_although_an_older_record_is_being_written(
    paths: Paths, journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one is written by a thread, which is slow."""
    monkeypatch.setattr(module, "_KEEP_SECONDS", 0.0)
    paths.task("one").mkdir(parents=True)
    begun, go_on = threading.Event(), threading.Event()
    written: list[TaskState] = []

    def slowly(folder: Path, task: Task) -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait(10)
        write_task_file(folder, task)
        written.append(task.state)

    monkeypatch.setattr(module, "write_task_file", slowly)
    journals.keep(_task(TaskState.RUNNING))
    assert await asyncio.to_thread(begun.wait, 10)
    journals.keep(_task(TaskState.ENDED))
    assert written == []  # and the loop did not wait for it
    go_on.set()
    await asyncio.gather(*journals._jobs)
    found = read_task_file(paths.task("one"))
    assert found is not None
    assert found.state is TaskState.ENDED
    assert written == [TaskState.RUNNING, TaskState.ENDED]


async def test_the_newest_of_several_records_is_written_once(
    paths: Paths, journals: Journals
) -> None:
    paths.task("one").mkdir(parents=True)
    journals.keep(_task(TaskState.RUNNING, "first"))
    journals.keep(_task(TaskState.IDLE, "second"))
    journals.close_all()
    found = read_task_file(paths.task("one"))
    assert found is not None
    assert (found.state, found.prompt) == (TaskState.IDLE, "second")


def test_a_record_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut leaves the old record or the new one, and never an empty file."""
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def note_sync(file: int) -> None:
        done.append("sync")
        fsync(file)

    def note_rename(*args: Any, **named: Any) -> None:
        done.append("rename")
        rename(*args, **named)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "rename", note_rename)
    write_task_file(tmp_path / "one", _task(TaskState.IDLE))
    assert done == ["sync", "rename", "sync"]


async def test_the_store_is_on_the_disk_with_the_archive(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox and its log are removed next."""
    paths.state.mkdir(parents=True)
    store = Store(paths.database)
    store.tasks.add(_task(TaskState.IDLE))
    journals = Journals(paths, store, Redactor(()))
    synced: list[str] = []
    fsync = os.fsync

    def note(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        fsync(file)

    monkeypatch.setattr(os, "fsync", note)
    await journals.sync("one")
    assert synced == ["journal.jsonl", f"{paths.database.name}-wal", paths.state.name]
    journals.close_all()
    store.close()
