"""The command as a person runs it, in a process of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests import warm


def run(
    folder: Path, *arguments: str, given: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run it with a text on stdin."""
    code, *said = warm.run(folder, arguments, {**os.environ, **environ}, given.encode(), seconds=60)
    stdout, stderr = (data.decode() for data in said)
    return subprocess.CompletedProcess(["ctui", *arguments], code, stdout, stderr)


def ctui(
    folder: Path, *arguments: str, given: str = "", code: int = 0, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run it with a text on stdin, and expect an exit code; no traceback in any case."""
    done = run(folder, *arguments, given=given, **environ)
    if "--debug" not in arguments:
        assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    return done


def refused(folder: Path, *arguments: str, code: int = 1, given: str = "", **environ: str) -> str:
    """The one line that a refused command says."""
    done = ctui(folder, *arguments, given=given, code=code, **environ)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


_AT_TERMINAL = (
    "import fcntl, os, signal, sys, termios; "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); "  # a job in the background ignores it
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def at_terminal(
    folder: Path, *arguments: str, asked: str, typed: str, **environ: str
) -> tuple[int, str]:
    """Run it on a terminal of its own, where somebody types; exit code and all that was shown.

    Args:
        folder: that it runs in.
        *arguments: of the command.
        asked: what is on the screen before anything is typed.
        typed: once.
        **environ: beside the test's own.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *warm.COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(ours, 4096):
            shown += more
            if asked and asked.encode() in shown:
                os.write(ours, typed.encode())
                asked = ""
    except OSError:
        pass  # EIO: the last one has closed the terminal
    finally:
        os.close(ours)
    return process.wait(60), shown.decode("utf-8", "replace").replace("\r\n", "\n")
