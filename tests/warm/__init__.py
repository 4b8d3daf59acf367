"""Commands in processes of their own that need not import ctui anew.

Most of what a short command costs is the start of an interpreter and its imports. A warm one
(`interpreter.py`) has them, and forks one process for each command, in which everything else is as
in a new one: the folder, the environment, the streams, and how it exits. Tests of how a command
starts, or of what it imports, start a real one.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.warm import stub

COMMAND = [sys.executable, "-P", "-m", "ctui"]
_ROOT = Path(__file__).parents[2]
_STARTED: dict[str, Path] = {}
"""Socket of each interpreter that runs, by what it serves."""


def warm_argv(kind: str = "commands") -> list[str]:
    """What stands for `COMMAND` where it is quicker and does as well.

    The process that it starts has the id of a stand-in, which passes on signals and exits as the
    command does.

    Args:
        kind: a name in `interpreter.KINDS`: what is to be imported beforehand.
    """
    return [sys.executable, "-I", "-S", stub.__file__, str(_socket(kind))]


def run(
    folder: Path, arguments: Sequence[str], environ: Mapping[str, str], given: bytes, seconds: float
) -> tuple[int, bytes, bytes]:
    """Run a command; its exit code, and what it wrote to stdout and stderr.

    Raises:
        TimeoutError: it has not ended in time, and is killed.
    """
    streams = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
    try:
        stub.fill(streams[0], given)
        request = stub.request(str(folder), arguments, environ)
        with stub.started(str(_socket("commands")), request, streams) as connection:
            connection.settimeout(seconds)
            code = stub.exit_code(connection)
        return code, stub.content(streams[1]), stub.content(streams[2])
    finally:
        for stream in streams:
            os.close(stream)


def _socket(kind: str) -> Path:
    """Where the interpreter listens; it is started by the first who needs it."""
    if kind not in _STARTED:
        folder = Path(tempfile.mkdtemp(prefix="ctui-warm-"))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm.interpreter", kind, str(folder)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        atexit.register(process.communicate)  # the end of its stdin ends it
        assert process.stdout is not None
        assert process.stdout.readline(), f"no warm interpreter for {kind}"
        _STARTED[kind] = folder / "socket"
    return _STARTED[kind]
