"""A program beside the CLI, which is started again whenever it ends.

What the CLI starts has its uid, and can end it: that is answered by another start, and less and
less soon. The relay's own processes are collected by the relay.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

GATEWAY = Path("/ctui/gw")
"""Folder of the gateway's sockets, where a task has one."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_LASTING_SECONDS = 30.0
"""Seconds after which a program that ends was no failure."""
_READY_SECONDS = 20.0
"""Seconds after which the CLI starts without it: a busy machine takes some."""

_CODE = (
    "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
    " from network.main import main; main(Path(sys.argv[2]), int(sys.argv[3]))"
)


class Network:
    """The task's end of its network, if it has one."""

    def __init__(self, folder: Path = GATEWAY) -> None:
        """Start it."""
        self._answers = threading.Event()
        if not folder.is_dir():
            self._answers.set()
            return
        here = str(Path(__file__).parent)
        command = [sys.executable, "-I", "-S", "-c", _CODE, here, str(folder)]
        threading.Thread(target=_keep, args=(command, self._answers), daemon=True).start()

    def wait(self) -> None:
        """Return when it answers, or will not."""
        self._answers.wait(_READY_SECONDS)


def _keep(command: list[str], answers: threading.Event) -> None:
    pause = _FIRST_PAUSE
    while True:
        began = time.monotonic()
        _live(command, answers)
        lasted = time.monotonic() - began >= _LASTING_SECONDS
        pause = _FIRST_PAUSE if lasted else min(_LONGEST_PAUSE, pause * 2)
        time.sleep(pause)


def _live(command: list[str], answers: threading.Event) -> None:
    """Start it, and return when it has ended: its ends of two pipes are closed then."""
    ready, says_ready = os.pipe()
    lives, says_lives = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    actions = [
        *((os.POSIX_SPAWN_DUP2, null, number) for number in range(3)),
        (os.POSIX_SPAWN_DUP2, says_ready, 3),
        (os.POSIX_SPAWN_DUP2, says_lives, 4),
    ]
    try:
        os.posix_spawn(
            command[0],
            [*command, "3"],
            os.environ,
            file_actions=actions,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
        )
    except OSError:
        pass
    finally:
        for end in (says_ready, says_lives, null):
            os.close(end)
    os.read(ready, 1)
    answers.set()
    os.read(lives, 1)
    os.close(ready)
    os.close(lives)
