"""Become a program whose terminal is the one on stdin. Run as a script, with nothing of ctui."""

from __future__ import annotations

import fcntl
import os
import sys
import termios

if __name__ == "__main__":
    # The leader of a new session has no terminal yet. With one it is told of new sizes, and is
    # hung up when whoever holds the other end dies, however that happens.
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command comes from the server
