"""The first steps of a background process: away from who started it, with a log and a lock."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui import __version__, rpc
from ctui.errors import CtuiError
from ctui.file_lock import FileLock
from ctui.paths import Paths, private_folder, refuse_network_file_system

READY = "ready"
BUSY = "busy"
"""Line to whoever starts such a process: another one holds the lock already."""

IDLE_SECONDS = 60.0
"""For which a process stays that nobody needs any more."""

Say = Callable[[str], None]
"""Writes the one line to whoever started the process."""


def live(
    name: str, log: Path, lock: Path, paths: Paths, run: Callable[[Callable[[], None]], None]
) -> int:
    """Fork away, and run as the only process that holds `lock`. Returns the exit code.

    Args:
        name: of the process, in its log.
        log: its log file.
        lock: its lock file.
        paths: its folders.
        run: does all of it; it is given what says `READY`.
    """
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument("--ready", type=int, required=True)
    ready: int = parser.parse_args().ready
    if os.fork():
        # It must not be the child of whoever happens to start it.
        os._exit(0)
    os.setsid()
    try:
        private_folder(paths.state)
        refuse_network_file_system(paths.state)
        _log_to(log, name)
        held = FileLock(lock)
        if not held.acquire(0):
            _say(ready, BUSY)
            return 0
        with held:
            run(lambda: _say(ready, READY))
    except CtuiError as error:
        _say(ready, msgspec.json.encode(rpc.failure_of(error)).decode())
        return 1
    return 0


def _say(ready: int, text: str) -> None:
    """Write one line to whoever started us, and close the descriptor."""
    with suppress(OSError):
        os.write(ready, text.encode() + b"\n")
        os.close(ready)


def _log_to(path: Path, name: str) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    path.chmod(0o600)
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger(name).info("%s %s, pid %d", name, __version__, os.getpid())
