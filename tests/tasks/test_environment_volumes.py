"""Volumes that an environment gives to each task."""

from __future__ import annotations

from ctui.sandbox.spec import Mount
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.runs.launch import environment_volumes


def test_no_two_tasks_have_one() -> None:
    """devcontainer.json's volumes: yes, and each task has its own."""
    options = TaskOptions(environment="0" * 16, volumes={"/cache": "cache"})
    names = [
        environment_volumes(
            "0123456789abcdef",
            Task(
                id=name,
                repository="/r/.git",
                worktree="/w",
                metadata=None,
                branch=None,
                base=None,
                session="s",
                prompt="go",
                options=options,
            ),
        )
        for name in ("one", "two")
    ]
    assert names == [
        (Mount("ctui-01234567-one-cache", "/cache", kind="volume"),),
        (Mount("ctui-01234567-two-cache", "/cache", kind="volume"),),
    ]
