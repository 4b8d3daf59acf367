"""The key that updates a worktree: what it asks, and what is said when it is done."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import msgspec
import pytest
from textual.app import App

from ctui.client.client import Client
from ctui.client.worktrees.worktrees import make_worktree
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tui.board.board import Board
from ctui.tui.board.removal_facts import update_facts
from ctui.tui.support.task_actions import TaskActions
from ctui.tui.support.worker_loop import WorkerLoop
from tests.conftest import git
from tests.tui.test_board import status


@pytest.mark.parametrize(("behind", "said"), [(1, "1 commit of"), (2, "2 commits of"), (0, "What")])
def test_what_follows_is_said_first(behind: int, said: str) -> None:
    """G18: `U` asks before it touches a task's branch."""
    board = Board("/r/.git")
    board.take_statuses([msgspec.structs.replace(status("a"), behind=behind)])
    first, second = update_facts(board.items()[0])
    assert first.startswith(said)
    assert "uncommitted work is not touched" in second


async def test_it_is_done_in_the_background_and_told(repository: Path, paths: Paths) -> None:
    """G18: the result is a notification, and an error is one with what to do."""
    for name, value in (("user.name", "Test"), ("user.email", "test@example.org")):
        git(repository, "config", name, value)
    found = open_repository(repository)
    record = await make_worktree(paths, found, prefix="ctui/", name="work")
    git(repository, "commit", "-q", "--allow-empty", "-m", "More")
    app, worker_loop, told = App[None](), WorkerLoop(), asyncio.Event()
    async with app.run_test(notifications=True) as pilot, Client(paths) as client:
        actions = TaskActions(app, client, worker_loop, repository / ".git")
        actions.update(record.path, told.set)
        await asyncio.wait_for(told.wait(), 60)
        assert _said(app)[-1].startswith("brought 1 commit of main into ctui/work by fast-forward")
        assert git(Path(record.path), "rev-parse", "HEAD") == git(repository, "rev-parse", "main")
        (Path(record.path) / "late").write_text("late\n")
        git(repository, "commit", "-q", "--allow-empty", "-m", "Even more")
        actions.update(record.path, told.set)
        async with asyncio.timeout(60):
            while len(_said(app)) < 2:
                await pilot.pause(0.05)
        assert "uncommitted changes: late" in _said(app)[-1]
    await worker_loop.close()
    for thread in threading.enumerate():
        if thread.name == "worker_loop":
            await asyncio.to_thread(thread.join, 10)
    worker_loop.loop.close()


def _said(app: App[None]) -> list[str]:
    return [notification.message for notification in app._notifications]
