"""A command of ctui that has the whole terminal, while the screen waits behind it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

from textual.app import App, SuspendNotSupported

from ctui.paths import Paths
from ctui.text import one_line

_ENDED_WELL = {0, 130}


def in_own_terminal(app: App[Any], paths: Paths, *arguments: str) -> None:
    """Run a command of ctui in the terminal, and come back when it has ended.

    Nothing of the screen goes on meanwhile. What comes from the driver waits, and what is too much
    is read from the disk afterwards.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the command's
    command = [sys.executable, "-P", "-m", "ctui", *arguments]
    try:
        with app.suspend():
            done = subprocess.run(
                command,
                env={**os.environ, **paths.environment()},
                stderr=subprocess.PIPE,
                check=False,
            )
    except SuspendNotSupported:
        shown = f"`ctui {' '.join(arguments)}` in a terminal"
        app.notify(f"this screen cannot give its terminal away: {shown}", markup=False)
        return
    finally:
        signal.signal(signal.SIGINT, before)
    if done.stderr and done.returncode not in _ENDED_WELL:
        said = one_line(done.stderr.decode("utf-8", "replace"), 300)
        app.notify(said, severity="warning", timeout=10, markup=False)
