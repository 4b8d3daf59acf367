"""Signals give the terminal back, and no dashboard outlives its terminal. In real terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

_LEFT = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l")
"""The terminal's own screen, its cursor, and no mouse."""


class Shown(NamedTuple):
    """A dashboard in a terminal of its own."""

    process: subprocess.Popen[bytes]
    master: int

    def until(self, words: bytes) -> bytes:
        """Return what was written up to these words."""
        heard = b""
        while words not in heard:
            heard += os.read(self.master, 65536)
        return heard

    def rest(self) -> bytes:
        """Return what is written until the terminal is closed."""
        heard = b""
        try:
            while part := os.read(self.master, 65536):
                heard += part
        except OSError:
            pass  # the other end is closed
        return heard


@contextmanager
def dashboard(repository: Path, home: Path) -> Iterator[Shown]:
    master, slave = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TMUX", "CTUI_"))}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ctui", str(repository)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environ, "CTUI_HOME": str(home), "TERM": "xterm-256color"},
        start_new_session=True,  # without it as its terminal: nobody sends SIGHUP
    )
    os.close(slave)
    try:
        yield Shown(process, master)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(
    number: signal.Signals, repository: Path, tmp_path: Path
) -> None:
    """Whoever ends it gets their terminal as it was."""
    with dashboard(repository, tmp_path / "home") as shown:
        shown.until(b"ctui")
        shown.process.send_signal(number)
        heard = shown.rest()
        assert shown.process.wait(30) == 128 + number
    assert all(sequence in heard for sequence in _LEFT)
    os.close(shown.master)


def test_a_terminal_that_vanishes_takes_its_dashboard_with_it(
    repository: Path, tmp_path: Path
) -> None:
    """It burned a third of a core, and waited for ever for what it had written."""
    with dashboard(repository, tmp_path / "home") as shown:
        shown.until(b"ctui")
        os.close(shown.master)
        assert shown.process.wait(30) == 128 + signal.SIGHUP
