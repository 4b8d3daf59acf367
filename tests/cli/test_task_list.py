"""`ctui task list`: its columns, by the real command and a real store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ctui.paths import Paths
from ctui.tasks.model import Task, TaskState
from ctui.tasks.store import Store
from tests.cli.commands import ctui


def add(paths: Paths, name: str, **facts: Any) -> None:
    """Add an idle task to the store."""
    paths.state.mkdir(parents=True, mode=0o700, exist_ok=True)
    task = Task(
        id=name,
        repository="r",
        worktree=f"/w/{name}",
        metadata=None,
        branch="b",
        base=None,
        session="s",
        prompt="p",
        state=TaskState.IDLE,
        **facts,
    )
    store = Store(paths.database)
    store.tasks.add(task)
    store.close()


def listed(folder: Path) -> list[dict[str, str]]:
    """Return the cells of each row by their columns."""
    header, *rows = ctui(folder, "task", "list").stdout.splitlines()
    columns = [(name.group(), name.start()) for name in re.finditer(r"\S+", header)]
    ends = [*(start for _, start in columns[1:]), None]
    return [
        {name: row[start:end].strip() for (name, start), end in zip(columns, ends, strict=True)}
        for row in rows
    ]


def test_alarms_are_a_column_where_there_are_any(tmp_path: Path, paths: Paths) -> None:
    add(paths, "loud", alarm_count=3)
    add(paths, "still")
    rows = listed(tmp_path)
    assert {row["TASK"]: row["ALARMS"] for row in rows} == {"loud": "3", "still": ""}


def test_what_is_usual_costs_no_column(tmp_path: Path, paths: Paths) -> None:
    add(paths, "still")
    [row] = listed(tmp_path)
    assert {"ALARMS", "NOTE"}.isdisjoint(row)
    assert (row["TASK"], row["STATE"], row["COST"]) == ("still", "idle", "$0.00")


def test_no_task_is_no_table(tmp_path: Path) -> None:
    done = ctui(tmp_path, "task", "list")
    assert not done.stdout
    assert "no tasks yet" in done.stderr
