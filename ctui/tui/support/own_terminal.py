"""A command of ctui that has the whole terminal, while the screen waits behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from textual.app import App, SuspendNotSupported

from ctui.paths import Paths
from ctui.text import one_line

_OWN_FAILURE = 125
"""Exit code of what is no failure of the command itself; then its one line is still to be read."""


def in_own_terminal(app: App[Any], paths: Paths, *arguments: str) -> None:
    """Run a command of ctui in the terminal, and come back when it has ended.

    Nothing of the screen goes on meanwhile. What comes from the driver waits, and what is too much
    is read from the disk afterwards.
    """
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
    if done.returncode == _OWN_FAILURE or done.stderr:
        said = one_line(done.stderr.decode("utf-8", "replace"), 300)
        app.notify(said, severity="warning", timeout=10, markup=False)
