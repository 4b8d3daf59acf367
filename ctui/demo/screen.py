"""Demo with a screen: the dashboard on a throwaway repository, with scripted tasks at work."""

from __future__ import annotations

import asyncio
import signal
import sys
import termios
from pathlib import Path

from ctui.demo import DEMO_VARIABLE
from ctui.demo.command import run_ctui
from ctui.demo.environment import PROJECT, build_environment
from ctui.demo.model.known import MENU, TESTS, TIMER
from ctui.demo.repository import make_demo_repository
from ctui.demo.world import World
from ctui.errors import ExternalFailure

_RESTORED = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u"
"""Sequences by which a terminal has its own screen, cursor, mouse and keys again."""


async def show_demo(world: World) -> int:
    """Show the dashboard with the demo's tasks until it is left, and return its exit code.

    Raises:
        ExternalFailure: a signal ended it.
    """
    repository = await asyncio.to_thread(make_demo_repository, world.folder / "repository", PROJECT)
    await build_environment(world, repository)
    await start_demo_tasks(world, repository)
    loop = asyncio.get_running_loop()
    # A Ctrl-C belongs to whatever has the terminal: the screen, or a command in its place.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    terminal = termios.tcgetattr(0)
    try:
        screen = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "ctui", str(repository)),
            env={**world.environ, DEMO_VARIABLE: "1"},
        )
        code = await screen.wait()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if code < 0:  # it had no time to put anything right
        termios.tcsetattr(0, termios.TCSANOW, terminal)
        sys.stderr.write(_RESTORED)
        raise ExternalFailure(
            f"the demo's dashboard was ended by {_signal_name(-code)}",
            hint="nothing of the demo is left: `ctui demo` shows it anew",
        )
    return code


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


async def start_demo_tasks(world: World, repository: Path) -> None:
    """Start tasks that soon ask for something: a permission, and a host."""
    await _ctui(world, repository, "run", "--detach", "--name", "ring-the-bell", TIMER)
    await _ctui(world, repository, "run", "--detach", "--name", "check-the-bell", TESTS)
    unasked = "--skip-permissions"  # it shows what is asked for all the same
    await _ctui(world, repository, "run", "--detach", unasked, "--name", "serve-the-menu", MENU)


async def _ctui(world: World, repository: Path, *arguments: str) -> None:
    done = await run_ctui(repository, world.environ, *arguments)
    if done.exit_code:
        raise ExternalFailure(f"the demo does not start: {done.stderr.strip()}")
