"""The end of the screen by a signal, and the end of its terminal."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from typing import Any

from textual.app import App

_PATIENCE = 3.0
"""Seconds for putting the terminal right: it may take nothing any more."""


def leave_on_signals(app: App[Any]) -> None:
    """Give the terminal back when a signal ends the screen: SIGTERM, or SIGHUP of a living one."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _leave, app, number)


def end_with_terminal() -> None:
    """End this process at once when its terminal is gone, with or without a signal.

    Whoever writes to such a terminal waits for ever, and whoever reads from it reads nothing again
    and again.
    """
    terminal = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    if terminal >= 0 and os.isatty(terminal):
        threading.Thread(target=_watch, args=(terminal,), name="terminal", daemon=True).start()


def _leave(app: App[Any], number: signal.Signals) -> None:
    code = 128 + number
    late = threading.Timer(_PATIENCE, os._exit, (code,))
    late.daemon = True
    late.start()
    app.exit(return_code=code)


def _watch(terminal: int) -> None:
    hung_up = select.poll()
    hung_up.register(terminal, 0)  # a hang-up is told without being asked for
    hung_up.poll()
    os._exit(128 + signal.SIGHUP)
