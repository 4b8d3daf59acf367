"""Commands that an environment wants run at each start, beside the CLI and not before it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

SCRIPT = """\
cd /workspace 2>/dev/null
n=0
for command in "$@"; do
  n=$((n + 1))
  /bin/sh -c "$command" </dev/null 3>&- || { echo "$n $?" >&3; exit; }
done
"""
"""Each argument is a command; the first that fails is told, with its exit code, and is the last."""
_SHOWN = 200
"""Characters of a command that failed which are told."""
_LOG = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
"""How the log is opened: at a pipe that the task has put there all of the relay would wait."""


class Tell(Protocol):
    """Say something in a line of the relay's own."""

    def __call__(self, what: str, **values: object) -> None: ...


def begin(commands: Sequence[str], environment: Mapping[str, str], tell: Tell) -> None:
    """Start the commands, one after the other, and tell of one that fails.

    What they print is in a file, whose name is told. The relay collects their processes.
    """
    if commands:
        threading.Thread(target=_run, args=(commands, environment, tell), daemon=True).start()


def _run(commands: Sequence[str], environment: Mapping[str, str], tell: Tell) -> None:
    log = Path(environment.get("TMPDIR") or "/tmp", "ctui-start.log")  # noqa: S108 - the task's own
    ends, says_end = os.pipe()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), _LOG, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_DUP2, says_end, 3),
    ]
    with os.fdopen(ends, "rb") as file:
        try:
            os.posix_spawn(
                "/bin/sh",
                ["/bin/sh", "-c", SCRIPT, "start", *commands],
                environment,
                file_actions=actions,
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
            )
        except OSError as error:
            tell("start_failed", reason=str(error))
            return
        finally:
            os.close(says_end)
        said = file.read(32)
    # A process of the task can write there too: it could only tell of a failure that was none.
    with contextlib.suppress(ValueError, IndexError):
        number, code = map(int, said.split())
        shown = commands[max(0, number - 1)][:_SHOWN]
        tell("start_failed", code=code, reason=f"{shown} (its output: {log})")
