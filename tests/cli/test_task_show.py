"""`ctui task show`: its facts, by the real command, a real store and a real worktree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctui.cli.task.task_text import commits_text
from ctui.paths import Paths
from ctui.tasks.model import ImportedRef, Task, TaskState, WorkState
from ctui.tasks.store import Store
from tests.cli.commands import ctui


def facts(folder: Path, task: str) -> dict[str, str]:
    done = ctui(folder, "task", "show", task)
    assert done.returncode == 0, done.stderr
    return {line[:10].strip(): line[11:] for line in done.stdout.splitlines()}


def test_what_is_not_committed_is_said_beside_the_commits(repository: Path, paths: Paths) -> None:
    made = json.loads(ctui(repository, "worktree", "create", "work", "--json").stdout)
    worktree = Path(made["path"])
    task = Task(
        id="work",
        repository=str(repository / ".git"),
        worktree=str(worktree),
        metadata=str(repository / ".git/worktrees" / worktree.name),
        branch="ctui/work",
        base="b",
        session="s",
        prompt="p",
        state=TaskState.IDLE,
        work=WorkState(refs=(ImportedRef("refs/ctui/work/heads/ctui/work", "b"),)),
    )
    store = Store(paths.database)
    store.tasks.add(task)
    store.close()
    clean = facts(repository, "work")
    assert (clean["commits"], "changes" in clean) == ("none", False)
    (worktree / "new.txt").write_text("x")
    assert facts(repository, "work")["changes"] == "1 untracked, not committed"
    (worktree / ".git").unlink()
    assert "changes" in facts(repository, "work")


@pytest.mark.parametrize(
    ("outcome", "tip", "words"),
    [
        ("unchanged", "b", "none"),
        ("unchanged", "c", "on the branch"),
        ("advanced", "c", "on the branch"),
        ("diverged", "c", "not on the branch, which has others"),
        ("untouched", "c", "in refs/ctui"),
    ],
)
def test_it_says_where_its_commits_are(outcome: str, tip: str, words: str) -> None:
    """No new import is not no commit."""
    work = WorkState(
        branch=outcome,  # type: ignore[arg-type]
        refs=(ImportedRef("refs/ctui/t/heads/x/y", tip), ImportedRef("refs/ctui/t/heads/z", "d")),
    )
    task = Task(
        id="t",
        repository="r",
        worktree="w",
        metadata=None,
        branch="x/y",
        base="b",
        session="s",
        prompt="p",
    )
    assert commits_text(task, work) == words
