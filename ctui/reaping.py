"""Waiting for the end of processes."""

from __future__ import annotations

import asyncio


async def reap(process: asyncio.subprocess.Process) -> int:
    """Wait until a process that was killed, or that ends by itself at once, is gone.

    A cancellation takes effect after it, also a second one, which the end of a loop can be: a
    process that ends after its loop costs a line on stderr ("Loop ... is closed").

    Returns:
        its exit status.
    """
    cancelled: asyncio.CancelledError | None = None
    while process.returncode is None:
        try:
            await process.wait()
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return process.returncode
