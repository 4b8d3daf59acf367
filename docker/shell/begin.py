"""Beginning of a person's command in a task's sandbox: it takes variables from stdin, and goes on.

It comes from the host as an argument (`python3 -c`), so that it needs no place in an image. What
must be in no argument and in no configuration, a task's secrets, comes as the first line of stdin,
a JSON object. At a terminal nothing of that line may be shown, or held up by the terminal's own
handling of lines: so it is asked for by a byte only when the terminal shows nothing.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import termios
import tty

_READY = b"\x06"


def main() -> None:
    """Become the command that the arguments say."""
    terminal = os.isatty(0)
    before = termios.tcgetattr(0) if terminal else []
    if terminal:
        tty.setraw(0)
    os.write(1, _READY)
    given = json.loads(_first_line())
    if terminal:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    command = sys.argv[1:]
    try:
        os.execvpe(command[0], command, {**os.environ, **given})  # noqa: S606 - that is its work
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if error.errno == errno.ENOENT else 126)


def _first_line() -> bytes:
    """Read the first line and nothing behind it, which is the command's."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(0)
        line += byte
    return line


if __name__ == "__main__":
    main()
