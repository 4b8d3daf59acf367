"""The demo leaves nothing behind, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ctui.paths import Paths
from ctui.tui.asks.key_guard import GUARD_SECONDS
from tests.tui.tmux import Terminal

pytestmark = pytest.mark.engine


def left(instance: str) -> set[str]:
    """Everything of a demo that the engine has."""
    found: set[str] = set()
    for command in (["ps", "-a", "-q"], ["volume", "ls", "-q"], ["network", "ls", "-q"]):
        done = subprocess.run(
            ["docker", *command, "--filter", f"label=ctui.instance={instance}"],
            capture_output=True,
            text=True,
            check=True,
        )
        found |= set(done.stdout.split())
    return found | images(instance)


def images(instance: str) -> set[str]:
    """The images of its environments."""
    labels = ("label=ctui.environment", f"label=ctui.instance={instance}")
    filters = [word for label in labels for word in ("--filter", label)]
    done = subprocess.run(
        ["docker", "images", "-q", *filters], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_demo_that_is_ended_cleans_up(number: signal.Signals, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", "demo", "--headless"),
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    while b"permission was given" not in (line := await process.stdout.readline()):
        assert line, "the demo ended too early"
    (world,) = tmp_path.glob("ctui-demo-*")
    instance = Paths.from_environment({"CTUI_HOME": str(world / "home")}).instance
    assert images(instance), "its project has a set-up"
    assert left(instance) > images(instance)
    os.kill(process.pid, number)
    said, _ = await process.communicate()
    assert process.returncode in {130, 143}, said
    assert b"Traceback" not in said
    assert not left(instance)
    assert not world.exists()


async def test_a_screen_that_a_signal_ends_is_told_and_the_terminal_is_right(
    tmp_path: Path,
) -> None:
    """One line on the terminal's own screen, with what was there before it."""
    (worlds := tmp_path / "worlds").mkdir()
    terminal = Terminal(tmp_path, {"TMPDIR": str(worlds)}, (120, 40))
    try:
        terminal.start("demo")
        await terminal.until("tab answers")
        demo = terminal.pid()
        children = Path(f"/proc/{demo}/task/{demo}/children").read_text().split()
        [screen] = [
            int(one)
            for one in children
            if os.fsencode(worlds) in Path(f"/proc/{one}/cmdline").read_bytes()
        ]
        os.kill(screen, signal.SIGKILL)
        await terminal.until_over()
        seen = terminal.screen()
        assert "ctui: the demo's dashboard was ended by SIGKILL" in seen
        assert "teatime brings an environment" in seen
        assert "NEEDS YOU" not in seen
    finally:
        terminal.close()
    assert not list(worlds.iterdir())


async def test_a_key_that_ends_a_command_does_not_end_the_demo(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of the terminal: the command's, the screen's and the demo's."""
    (worlds := tmp_path / "worlds").mkdir()
    terminal = Terminal(tmp_path, {"TMPDIR": str(worlds)}, (120, 40))
    try:
        terminal.start("demo")
        await terminal.until("tab answers")
        terminal.press("T")
        await terminal.until("Ctrl-C ends this")
        terminal.press("C-c")
        await terminal.until("tab answers")
        terminal.press("Tab")
        await terminal.until("y once")
        await asyncio.sleep(GUARD_SECONDS + 0.1)  # the guard is made of time
        terminal.press("y")
        await terminal.until("✓ Bash")  # it ran: the engine, the driver and the model are there
        terminal.press("q")
        await terminal.until_over()
    finally:
        terminal.close()
    assert not list(worlds.iterdir())
