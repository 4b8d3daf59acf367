"""The end of a command's output, while that grows: how Claude Code keeps it in the sandbox.

It comes from the host as an argument (`python3 -c`). The CLI has a command write into a file
`/tmp/claude-<uid>/<folder>/<session>/tasks/<id>.output`. Whenever that has changed, but once a
second at most, its end is printed as a JSON object in a line. It ends with its stdin.
"""

from __future__ import annotations

import glob
import json
import os
import select
import stat
import sys

_BYTES = 64 << 10
_SECONDS = 1.0
_PLACES = 32
"""Files of that name that are looked at; there is one."""


def main(name: str) -> None:
    """Print the end of an output until stdin ends."""
    seen: tuple[int, int] | None = None
    while True:
        seen = _look(name, seen)
        ready, _, _ = select.select([0], [], [], _SECONDS)
        if ready and not os.read(0, 4096):
            return


def _look(name: str, seen: tuple[int, int] | None) -> tuple[int, int] | None:
    pattern = f"/tmp/claude-*/*/*/tasks/{glob.escape(name)}.output"  # noqa: S108 - the CLI's own
    for path in glob.glob(pattern)[:_PLACES]:  # noqa: PTH207 - it is quicker to begin
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                continue
            now = status.st_size, status.st_mtime_ns
            if now != seen:
                start = max(0, status.st_size - _BYTES)
                text = os.pread(file, _BYTES, start).decode("utf-8", "replace")
                print(json.dumps({"cut": start > 0, "text": text}), flush=True)
            return now
        finally:
            os.close(file)
    return seen


if __name__ == "__main__":
    main(sys.argv[1])
