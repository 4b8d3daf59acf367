"""The main job in a real terminal, without the mouse."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.client.connection import driver_pid
from ctui.demo.model.script import fenced
from ctui.demo.world import World
from ctui.tui.asks.key_guard import GUARD_SECONDS
from tests.conftest import git
from tests.tui.tmux import Terminal

pytestmark = pytest.mark.engine


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, world.environ, (120, 40))
    yield made
    made.close()


async def start_task(terminal: Terminal, prompt: str, *steps: str) -> None:
    terminal.press("n")
    await terminal.until("New task")
    terminal.paste(f"{prompt}\n{fenced(*steps)}")
    await terminal.until(f"│ +{prompt}")
    terminal.press("C-s")
    await terminal.until("New task", gone=True)


async def guarded(terminal: Terminal, key: str) -> None:
    """A key for something that has just appeared."""
    await asyncio.sleep(GUARD_SECONDS + 0.1)  # the guard is made of time
    terminal.press(key)


async def test_two_tasks_from_start_to_removal(
    terminal: Terminal, world: World, repository: Path
) -> None:
    terminal.start(str(repository))
    await terminal.until("ctui +repository +main")
    await start_task(terminal, "Make a file", "bash touch made", "say The file is there.")
    await terminal.until("1 ask")
    await start_task(
        terminal, "Choose a tone", "ask Which tone? | Tone | Warm: w | Dry: d", "say It is {result}"
    )
    await terminal.until(r"main +2 ask")

    terminal.press("i")
    await terminal.until("Inbox  2")
    await guarded(terminal, "y")
    await terminal.until("Inbox  1")
    await terminal.until(r"1 +Warm")
    await guarded(terminal, "1")
    await terminal.until("Nothing is asked")
    terminal.press("Escape")
    await terminal.until("Nothing is asked", gone=True)
    terminal.press("2")  # the list had led to the one that asked first
    await terminal.until(r"choose-a-tone +default +idle")

    terminal.press("f")
    terminal.paste("And now?\n" + fenced("say Nothing is left to do."))
    await terminal.until("And now\\?")
    terminal.press("Enter")
    await terminal.until(r"▕ *Nothing is left to do\.")
    await terminal.until(r"choose-a-tone +default +idle")

    terminal.press("f")
    terminal.paste("And then?\n" + fenced("ask Which way? | Way | Up: u | Down: d", "say Well."))
    await terminal.until("And then\\?")
    terminal.press("Enter")
    await terminal.until("1 ask")
    terminal.press("Escape", "Escape")
    await terminal.until("esc again interrupts")
    terminal.press("Escape")
    await terminal.until("■ interrupted")

    terminal.press("q")
    await terminal.until_over()
    pid = await driver_pid(world.paths)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    terminal.close()

    terminal.start(str(repository))
    await terminal.until("make-a-file")
    await terminal.until(r"default +idle")
    terminal.press("x")
    await terminal.until("Stop ")
    await guarded(terminal, "y")
    await terminal.until(r"ended \(stopped\)")
    for _ in range(2):
        terminal.press("R")
        asked = re.search(r"Remove (.*)\?", await terminal.until(r"Remove .*\?"))
        assert asked is not None
        await guarded(terminal, "y")
        await terminal.until(f"{asked[1]} is removed")
        terminal.press("Down")
    assert git(repository, "worktree", "list").count("\n") == 0
