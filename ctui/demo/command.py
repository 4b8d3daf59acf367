"""`ctui` as another process of a demo's world."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.reaping import reap


class Said(NamedTuple):
    """Result of a command."""

    exit_code: int
    stdout: str
    stderr: str


async def start_ctui(
    folder: Path, environ: Mapping[str, str], *arguments: str
) -> asyncio.subprocess.Process:
    """Start a command that the caller will end."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", *arguments),
        cwd=folder,
        env=dict(environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run_ctui(folder: Path, environ: Mapping[str, str], *arguments: str) -> Said:
    """Run a command to its end. A cancellation ends it too, because it could start a driver."""
    process = await start_ctui(folder, environ, *arguments)
    try:
        stdout, stderr = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await reap(process)
        raise
    return Said(
        process.returncode or 0,
        stdout.decode("utf-8", "replace"),
        stderr.decode("utf-8", "replace"),
    )
