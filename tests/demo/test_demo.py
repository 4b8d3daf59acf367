"""The demo leaves nothing behind, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.engine


def left() -> set[str]:
    """Everything of demos that the engine has."""
    found: set[str] = set()
    for command in (["ps", "-a", "-q"], ["volume", "ls", "-q"], ["network", "ls", "-q"]):
        done = subprocess.run(
            ["docker", *command, "--filter", "label=ctui.instance"],
            capture_output=True,
            text=True,
            check=True,
        )
        found |= set(done.stdout.split())
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_demo_that_is_ended_cleans_up(number: signal.Signals) -> None:
    before = left()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", "demo", "--headless"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    while b"permission was given" not in (line := await process.stdout.readline()):
        assert line, "the demo ended too early"
    assert left() > before
    os.kill(process.pid, number)
    said, _ = await process.communicate()
    assert process.returncode in {130, 143}, said
    assert b"Traceback" not in said
    assert left() == before
