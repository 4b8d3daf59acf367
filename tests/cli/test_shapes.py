"""What `--json` prints has the shapes that docs/schemas promises, to the last field."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from ctui.cli.schemas import PRINTED, SHAPES
from ctui.paths import Paths
from ctui.tasks.asks import Origin
from ctui.tasks.model import Alarm, Run, Task, TaskState
from ctui.tasks.store import Store
from tests.ask_requests import asked
from tests.cli.commands import ctui
from tests.conftest import ENGINE_WIDE, git


def printed(folder: Path, command: str, *arguments: str, code: int = 0, shape: str = "") -> object:
    """What a command prints, once it has the shape of its schema and no field beyond it."""
    text = ctui(folder, *command.split(), *arguments, "--json", code=code).stdout
    decoded = msgspec.json.decode(text, type=SHAPES[shape or PRINTED[command]])
    assert without_defaults(json.loads(msgspec.json.encode(decoded))) == without_defaults(
        json.loads(text)
    )
    return decoded


def without_defaults(value: object) -> object:
    """Fields that may be left out are the same as empty ones."""
    if isinstance(value, dict):
        return {
            key: without_defaults(one) for key, one in value.items() if one not in (None, "", [])
        }
    return [without_defaults(one) for one in value] if isinstance(value, list) else value


def test_worktrees(repository: Path) -> None:
    printed(repository, "worktree create", "spike")
    made = json.loads(ctui(repository, "worktree", "create", "work", "--json").stdout)
    Path(made["path"], "new.txt").write_text("new\n")
    for name, value in (("user.name", "Test"), ("user.email", "test@example.org")):
        git(repository, "config", name, value)
    printed(repository, "worktree list")
    printed(repository, "worktree commit", "work", "-m", "Add a file")
    printed(repository, "worktree update", "work")
    printed(repository, "worktree land", "work", "--dry-run")
    printed(repository, "worktree land", "work")
    printed(repository, "worktree remove", "nowhere", code=1)
    printed(repository, "worktree remove", "work")
    [entry] = json.loads(ctui(repository, "worktree", "trash", "--json").stdout)
    printed(repository, "worktree trash")
    printed(repository, "worktree restore", entry["id"])
    printed(repository, "worktree clean")
    printed(repository, "worktree trash", "--purge", "--all", shape="worktree-trash-purge")


def test_tasks(repository: Path, paths: Paths) -> None:
    paths.state.mkdir(parents=True, mode=0o700)
    store = Store(paths.database)
    task = Task(
        id="task",
        repository=str(repository / ".git"),
        worktree="/w",
        metadata=None,
        branch="b",
        base=None,
        session="s",
        prompt="p",
        state=TaskState.IDLE,
        alarms=(Alarm(at=1, kind="mode", text="a mode that nobody set"),),
        alarm_count=1,
    )
    store.tasks.add(task)
    store.runs.add(Run(task="task", number=1, container="c"))
    request = {"tool_name": "Bash", "input": {"command": "ls"}}
    store.asks.add(asked(request, origin=Origin("task", 1, 5)))
    store.close()
    printed(repository, "task list")
    printed(repository, "task show", "task")


def test_settings_doctor_and_errors(repository: Path, tmp_path: Path) -> None:
    printed(repository, "config show")
    printed(repository, "config validate")
    (tmp_path / "old.json").write_text('{"paths": {"branchPrefix": "x/", "other": 1}}')
    printed(repository, "config import", str(tmp_path / "old.json"))
    printed(repository, "config grants")
    printed(repository, "config trust")
    printed(repository, "doctor", code=1)
    printed(repository, "setup", "--logout")
    printed(tmp_path, "worktree list", code=1, shape="error")
    printed(repository, "task show", "nobody", code=1, shape="error")
    printed(repository, "task show", code=2, shape="error")


@ENGINE_WIDE
@pytest.mark.engine
def test_volumes_images_and_cleaning(repository: Path) -> None:
    printed(repository, "volume init")
    printed(repository, "volume list")
    printed(repository, "volume clean", "no-such", code=1)
    assert printed(repository, "image list")
    printed(repository, "image clean", "--dry-run")
    printed(repository, "clean", "--dry-run")
    printed(repository, "clean")
