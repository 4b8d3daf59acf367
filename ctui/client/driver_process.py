"""The driver as a process: ended whatever state it is in, and kept from starting."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ctui.client.connection import stop_driver
from ctui.errors import CtuiError, Unavailable
from ctui.file_lock import FileLock
from ctui.paths import Paths

_HAND_OVER_SECONDS = 5.0
_END_SECONDS = 5.0


@asynccontextmanager
async def without_driver(paths: Paths) -> AsyncIterator[None]:
    """End the driver, if one runs, and let none start meanwhile. Its sandboxes go on.

    It is asked to hand over; one that does not answer is ended by its process id.

    Raises:
        Unavailable: it does not end.
    """
    with suppress(CtuiError, OSError, TimeoutError):
        async with asyncio.timeout(_HAND_OVER_SECONDS):
            await stop_driver(paths)
    lock = FileLock(paths.driver_lock)
    for number in (0, signal.SIGTERM, signal.SIGKILL):
        holder = lock_holder(paths.driver_lock) if number else None
        if holder is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(holder, number)
        if await lock.wait(_END_SECONDS if holder else 1.0):
            break
    else:
        holder = lock_holder(paths.driver_lock)
        who = f"process {holder}" if holder else "a process"
        raise Unavailable(
            f"{who} holds {paths.driver_lock} and does not end", hint="end it, and try again"
        )
    with lock:
        yield


def lock_holder(lock: Path) -> int | None:
    """Return the process id of the driver that has this lock file open; None where none is found.

    The kernel's own list of locks has device numbers that some file systems do not show elsewhere.
    """
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"ctui.tasks.driver.process" not in (process / "cmdline").read_bytes():
                continue
            opened = [link.readlink() for link in (process / "fd").iterdir()]
        except OSError:
            continue  # it ended, or is another user's
        if lock in opened:
            return int(process.name)
    return None
